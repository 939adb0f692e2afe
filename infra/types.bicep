// The settings of the app, by name: a name that does not stand here is refused where it is given, before anything is
// deployed. The tests compare them with those that the code reads.

@export()
@description('Settings that are no secrets; an empty one is not set, and has the default of the code.')
@sealed()
type plainSettings = {
  @minLength(1)
  COUPA_BASE_URL: string
  @minLength(1)
  COUPA_CLIENT_ID: string
  COUPA_CLIENT_LOGIN: string?
  COUPA_SCOPES: string?
  COUPA_MAX_PER_SECOND: string?
  DOCUMENT_TYPES: string?
  NOTICE_FIELDS: string?
  FACTS: string?
  ACTIONS: string?
  LINK_TEMPLATE: string?
  NOTICE_LANGUAGE: string?
  TIME_ZONE: string?
  TIME_ZONES: string?
  QUIET_HOURS: string?
  WORKING_DAYS: string?
  URGENT_WITHIN_DAYS: string?
  DIGEST_OVER: string?
  DIGEST_AT: string?
  REMIND_AFTER_HOURS: string?
  REMIND_MAX: string?
  REMIND_BEFORE_DAYS: string?
  ESCALATE_AFTER_HOURS: string?
  ESCALATE_TO: string?
  CLOSING_NOTICE: string?
  TELL_REQUESTER: string?
  FIRST_RUN: string?
  DRY_RUN: string?
  PILOT: string?
  MOVEWORKS_BASE_URL: string?
  MOVEWORKS_CHANNEL: string?
  MOVEWORKS_EVENT_ID: string?
  MOVEWORKS_LISTENER_ID: string?
  MOVEWORKS_MAX_PER_MINUTE: string?
  LEDGER_TABLE: string?
  ACTION_TOKEN: string?
  LIST_TOKENS: string?
  AUDIT: string?
  AUDIT_TABLE: string?
  AUDIT_KEEP_DAYS: string?
  EMAIL_MAP: string?
  ALLOW_SELF_APPROVAL: string?
  STEP_UP_OVER: string?
  SENSITIVE: string?
  REJECT_REASON: string?
  COMMENTS: string?
  RELAY: string?
  RELAY_DOMAINS: string?
  RELAY_HTML: string?
  RELAY_MAX_PER_MINUTE: string?
  ENTRA_DECISION_CLIENTS: string?
  ENTRA_RELAY_CLIENTS: string?
  ENTRA_OPERATOR_CLIENTS: string?
  POLL_SCHEDULE: string?
  FULL_LIST_MINUTES: string?
  CLAIM_LEASE_S: string?
}

@export()
@description('Settings that are secrets; an empty one leaves what the vault holds.')
@secure()
@sealed()
type secretSettings = {
  COUPA_CLIENT_SECRET: string?
  MOVEWORKS_API_KEY: string?
  MOVEWORKS_LISTENER_SECRET: string?
  ACTION_TOKEN_KEYS: string?
  AUDIT_KEYS: string?
}

@export()
@description('Names of the settings that are secrets.')
type secretName =
  | 'COUPA_CLIENT_SECRET'
  | 'MOVEWORKS_API_KEY'
  | 'MOVEWORKS_LISTENER_SECRET'
  | 'ACTION_TOKEN_KEYS'
  | 'AUDIT_KEYS'

@export()
@description('Reads a text; nothing is the default.')
func text(given string, default string) string => empty(trim(given)) ? default : trim(given)

@export()
@description('Reads a number; nothing is the default.')
func number(given string, default int) int => int(text(given, string(default)))

@export()
@description('Reads true or false; nothing is false.')
func flag(given string) bool => bool(text(given, 'false'))

@export()
@description('Reads a list with commas, or in JSON; blanks are taken off, and what is empty is left out.')
func list(given string) string[] =>
  filter(map(startsWith(trim(given), '[') ? json(given) : split(given, ','), each => trim(each)), each => !empty(each))
