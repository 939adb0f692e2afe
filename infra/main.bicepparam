// The parameters for azd, az and GitHub alike. Each is a variable: of the shell, of `azd env set`, or of the environment
// on GitHub. One that is empty is not set. docs/operations.md says what each does.
using './main.bicep'
import { clients, flag, list, number, text } from './types.bicep'

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME')
param location = readEnvironmentVariable('AZURE_LOCATION', '')
param tags = json(text(readEnvironmentVariable('TAGS', ''), '{}'))
param alertEmail = readEnvironmentVariable('ALERT_EMAIL')

param allowedIps = list(readEnvironmentVariable('ALLOWED_IPS', ''))
param enableNetwork = flag(readEnvironmentVariable('ENABLE_NETWORK', ''))
param networkPrefix = text(readEnvironmentVariable('NETWORK_PREFIX', ''), '10.60.0.0/24')
param appPrefix = text(readEnvironmentVariable('APP_PREFIX', ''), '10.60.0.0/26')
param endpointPrefix = text(readEnvironmentVariable('ENDPOINT_PREFIX', ''), '10.60.0.64/26')

param zoneRedundant = flag(readEnvironmentVariable('ZONE_REDUNDANT', ''))
// Azure says which values it takes of the next three.
param storageSku = any(text(readEnvironmentVariable('STORAGE_SKU', ''), zoneRedundant ? 'Standard_ZRS' : 'Standard_LRS'))
param siteUpdateStrategy = any(text(readEnvironmentVariable('SITE_UPDATE_STRATEGY', ''), 'Recreate'))
param instanceMemoryMB = any(number(readEnvironmentVariable('INSTANCE_MEMORY_MB', ''), 2048))
param httpConcurrency = number(readEnvironmentVariable('HTTP_CONCURRENCY', ''), 100)
param alwaysReadyInstances = number(readEnvironmentVariable('ALWAYS_READY_INSTANCES', ''), 0)
param maximumInstanceCount = number(readEnvironmentVariable('MAXIMUM_INSTANCE_COUNT', ''), 40)

param logRetentionDays = number(readEnvironmentVariable('LOG_RETENTION_DAYS', ''), 90)
param enableAvailabilityTest = flag(readEnvironmentVariable('ENABLE_AVAILABILITY_TEST', ''))
param manyPeople = number(readEnvironmentVariable('MANY_PEOPLE', ''), 30)
param monthlyBudget = number(readEnvironmentVariable('MONTHLY_BUDGET', ''), 0)
param budgetStartDate = readEnvironmentVariable('BUDGET_START_DATE', '')

// With no client behind it App Service would let in any application of the tenant.
var entraApp = trim(readEnvironmentVariable('ENTRA_APP_CLIENT_ID', ''))
param entraClientId = empty(entraApp) || !empty(clients(readEnvironmentVariable('ENTRA_CLIENTS', '')))
  ? entraApp
  : fail('ENTRA_APP_CLIENT_ID is set and nobody may call: name clients in ENTRA_CLIENTS')

// A secret is needed once; without a value the vault keeps what it holds. The names follow from the channel.
var named = list(readEnvironmentVariable('SECRET_NAMES', ''))
var unknown = filter(named, each => !contains(given, each))
var isListener = !empty(trim(readEnvironmentVariable('MOVEWORKS_LISTENER_ID', '')))
var ofChannel = isListener ? 'MOVEWORKS_LISTENER_SECRET' : 'MOVEWORKS_API_KEY'
var read = empty(named) ? ['COUPA_CLIENT_SECRET', ofChannel, 'ACTION_TOKEN_KEYS'] : named
var unread = map(filter(items(given), each => !empty(each.value) && !contains(read, each.key)), each => each.key)
param secretNames = empty(unknown)
  ? any(read)
  : fail('SECRET_NAMES has ${join(unknown, ', ')}: it may name ${join(objectKeys(given), ', ')}')
// A name of an earlier release may have closed something that its successor opens.
var used = filter(items(former), each => !empty(each.value))
var both = isListener && !empty(trim(readEnvironmentVariable('MOVEWORKS_EVENT_ID', '')))
param secrets = !empty(used)
  ? fail(join(map(used, each => '${each.key} ${each.value}'), '. '))
  : both
      ? fail('MOVEWORKS_LISTENER_ID stands beside MOVEWORKS_EVENT_ID: take one of them away')
      : empty(unread)
          ? given
          : fail('${join(unread, ', ')}: a value is given and the app would not read it. Take it away, or set SECRET_NAMES=${join(concat(read, unread), ',')}')

// settings: written by make docs
param settings = {
  COUPA_BASE_URL: readEnvironmentVariable('COUPA_BASE_URL')
  COUPA_CLIENT_ID: readEnvironmentVariable('COUPA_CLIENT_ID')
  COUPA_CLIENT_LOGIN: readEnvironmentVariable('COUPA_CLIENT_LOGIN', '')
  DOCUMENT_TYPES: readEnvironmentVariable('DOCUMENT_TYPES', '')
  COUPA_MAX_PER_SECOND: readEnvironmentVariable('COUPA_MAX_PER_SECOND', '')
  NOTICE_FIELDS: readEnvironmentVariable('NOTICE_FIELDS', '')
  FACTS: readEnvironmentVariable('FACTS', '')
  LINK_TEMPLATE: readEnvironmentVariable('LINK_TEMPLATE', '')
  NOTICE_LANGUAGE: readEnvironmentVariable('NOTICE_LANGUAGE', '')
  SENSITIVE: readEnvironmentVariable('SENSITIVE', '')
  ACTIONS: readEnvironmentVariable('ACTIONS', '')
  STEP_UP_OVER: readEnvironmentVariable('STEP_UP_OVER', '')
  ALLOW_SELF_APPROVAL: readEnvironmentVariable('ALLOW_SELF_APPROVAL', '')
  REJECT_REASON: readEnvironmentVariable('REJECT_REASON', '')
  COMMENTS: readEnvironmentVariable('COMMENTS', '')
  TIME_ZONE: readEnvironmentVariable('TIME_ZONE', '')
  TIME_ZONES: readEnvironmentVariable('TIME_ZONES', '')
  QUIET_HOURS: readEnvironmentVariable('QUIET_HOURS', '')
  WORKING_DAYS: readEnvironmentVariable('WORKING_DAYS', '')
  URGENT_WITHIN_DAYS: readEnvironmentVariable('URGENT_WITHIN_DAYS', '')
  DIGEST_OVER: readEnvironmentVariable('DIGEST_OVER', '')
  DIGEST_AT: readEnvironmentVariable('DIGEST_AT', '')
  REMIND_AFTER_HOURS: readEnvironmentVariable('REMIND_AFTER_HOURS', '')
  REMIND_MAX: readEnvironmentVariable('REMIND_MAX', '')
  REMIND_BEFORE_DAYS: readEnvironmentVariable('REMIND_BEFORE_DAYS', '')
  ESCALATE_AFTER_HOURS: readEnvironmentVariable('ESCALATE_AFTER_HOURS', '')
  ESCALATE_TO: readEnvironmentVariable('ESCALATE_TO', '')
  CLOSING_NOTICE: readEnvironmentVariable('CLOSING_NOTICE', '')
  TELL_REQUESTER: readEnvironmentVariable('TELL_REQUESTER', '')
  PILOT: readEnvironmentVariable('PILOT', '')
  FIRST_RUN: readEnvironmentVariable('FIRST_RUN', '')
  DRY_RUN: readEnvironmentVariable('DRY_RUN', '')
  EMAIL_MAP: readEnvironmentVariable('EMAIL_MAP', '')
  MOVEWORKS_EVENT_ID: readEnvironmentVariable('MOVEWORKS_EVENT_ID', '')
  MOVEWORKS_LISTENER_ID: readEnvironmentVariable('MOVEWORKS_LISTENER_ID', '')
  MOVEWORKS_BASE_URL: readEnvironmentVariable('MOVEWORKS_BASE_URL', '')
  MOVEWORKS_MAX_PER_MINUTE: readEnvironmentVariable('MOVEWORKS_MAX_PER_MINUTE', '')
  ACTION_TOKEN: readEnvironmentVariable('ACTION_TOKEN', '')
  LIST_TOKENS: readEnvironmentVariable('LIST_TOKENS', '')
  ENTRA_CLIENTS: readEnvironmentVariable('ENTRA_CLIENTS', '')
  RELAY_DOMAINS: readEnvironmentVariable('RELAY_DOMAINS', '')
  RELAY_HTML: readEnvironmentVariable('RELAY_HTML', '')
  RELAY_MAX_PER_MINUTE: readEnvironmentVariable('RELAY_MAX_PER_MINUTE', '')
  AUDIT: readEnvironmentVariable('AUDIT', '')
  AUDIT_KEEP_DAYS: readEnvironmentVariable('AUDIT_KEEP_DAYS', '')
  AUDIT_TABLE: readEnvironmentVariable('AUDIT_TABLE', '')
  LEDGER_TABLE: readEnvironmentVariable('LEDGER_TABLE', '')
  POLL_SCHEDULE: readEnvironmentVariable('POLL_SCHEDULE', '')
  FULL_LIST_MINUTES: readEnvironmentVariable('FULL_LIST_MINUTES', '')
  CLAIM_LEASE_S: readEnvironmentVariable('CLAIM_LEASE_S', '')
}
var given = {
  COUPA_CLIENT_SECRET: readEnvironmentVariable('COUPA_CLIENT_SECRET', '')
  MOVEWORKS_API_KEY: readEnvironmentVariable('MOVEWORKS_API_KEY', '')
  MOVEWORKS_LISTENER_SECRET: readEnvironmentVariable('MOVEWORKS_LISTENER_SECRET', '')
  ACTION_TOKEN_KEYS: readEnvironmentVariable('ACTION_TOKEN_KEYS', '')
  AUDIT_KEYS: readEnvironmentVariable('AUDIT_KEYS', '')
}
var former = {
  COUPA_SCOPES: empty(trim(readEnvironmentVariable('COUPA_SCOPES', '')))
    ? ''
    : 'is gone since 0.3.0: the scopes follow from DOCUMENT_TYPES, COMMENTS and FACTS'
  ENTRA_DECISION_CLIENTS: empty(trim(readEnvironmentVariable('ENTRA_DECISION_CLIENTS', '')))
    ? ''
    : 'is gone since 0.3.0: ENTRA_CLIENTS names the applications of all kinds of callers, such as {"decisions": ["3f2504e0-4f89-41d3-9a0c-0305e82c3301"]}'
  ENTRA_RELAY_CLIENTS: empty(trim(readEnvironmentVariable('ENTRA_RELAY_CLIENTS', '')))
    ? ''
    : 'is gone since 0.3.0: ENTRA_CLIENTS names the applications of all kinds of callers, such as {"decisions": ["3f2504e0-4f89-41d3-9a0c-0305e82c3301"]}'
  ENTRA_OPERATOR_CLIENTS: empty(trim(readEnvironmentVariable('ENTRA_OPERATOR_CLIENTS', '')))
    ? ''
    : 'is gone since 0.3.0: ENTRA_CLIENTS names the applications of all kinds of callers, such as {"decisions": ["3f2504e0-4f89-41d3-9a0c-0305e82c3301"]}'
  ENTRA_CLIENT_IDS: empty(trim(readEnvironmentVariable('ENTRA_CLIENT_IDS', '')))
    ? ''
    : 'is gone since 0.2.0: ENTRA_CLIENTS names the applications of all kinds of callers, such as {"decisions": ["3f2504e0-4f89-41d3-9a0c-0305e82c3301"]}'
  LEDGER_ACCOUNT_URL: empty(trim(readEnvironmentVariable('LEDGER_ACCOUNT_URL', '')))
    ? ''
    : 'is called LEDGER_CONNECTION since 0.3.0'
  MOVEWORKS_CHANNEL: empty(trim(readEnvironmentVariable('MOVEWORKS_CHANNEL', '')))
    ? ''
    : 'is gone since 0.3.0: MOVEWORKS_EVENT_ID or MOVEWORKS_LISTENER_ID says which it is'
  RELAY: empty(trim(readEnvironmentVariable('RELAY', '')))
    ? ''
    : 'is gone since 0.3.0: RELAY_DOMAINS opens the relay, and without it the relay is closed'
}
// end of settings
