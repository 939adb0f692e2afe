// The settings of the app, by name: a name that does not stand here is refused where it is given, before anything is
// deployed. The tests compare them with those that the code reads.

// settings: written by make docs
@export()
@description('Settings that are no secrets; an empty one is not set, and has its default.')
@sealed()
type plainSettings = {
  @minLength(1)
  COUPA_BASE_URL: string
  @minLength(1)
  COUPA_CLIENT_ID: string
  COUPA_CLIENT_LOGIN: string?
  DOCUMENT_TYPES: string?
  COUPA_MAX_PER_SECOND: string?
  NOTICE_FIELDS: string?
  FACTS: string?
  LINK_TEMPLATE: string?
  NOTICE_LANGUAGE: string?
  SENSITIVE: string?
  ACTIONS: string?
  STEP_UP_OVER: string?
  ALLOW_SELF_APPROVAL: string?
  REJECT_REASON: string?
  COMMENTS: string?
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
  PILOT: string?
  FIRST_RUN: string?
  DRY_RUN: string?
  EMAIL_MAP: string?
  MOVEWORKS_EVENT_ID: string?
  MOVEWORKS_LISTENER_ID: string?
  MOVEWORKS_BASE_URL: string?
  MOVEWORKS_MAX_PER_MINUTE: string?
  ACTION_TOKEN: string?
  LIST_TOKENS: string?
  ENTRA_CLIENTS: string?
  RELAY_DOMAINS: string?
  RELAY_HTML: string?
  RELAY_MAX_PER_MINUTE: string?
  AUDIT: string?
  AUDIT_KEEP_DAYS: string?
  AUDIT_TABLE: string?
  LEDGER_TABLE: string?
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
// end of settings

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

@export()
@description('Reads the applications of all kinds of callers: a JSON object that has lists of client ids; nothing is none.')
func clients(given string) string[] => flatten(map(items(json(text(given, '{}'))), each => each.value))
