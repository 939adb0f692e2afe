// The parameters for `az deployment group create`; azd takes main.parameters.json.
// azd would prefer this file if it were called main.bicepparam.
using './main.bicep'

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME')
param alertEmail = readEnvironmentVariable('ALERT_EMAIL')

// Any other setting of docs/settings.md is one more line; what is not named has the default of the code.
param settings = {
  COUPA_BASE_URL: readEnvironmentVariable('COUPA_BASE_URL')
  COUPA_CLIENT_ID: readEnvironmentVariable('COUPA_CLIENT_ID')
  MOVEWORKS_BASE_URL: readEnvironmentVariable('MOVEWORKS_BASE_URL', '')
  MOVEWORKS_EVENT_ID: readEnvironmentVariable('MOVEWORKS_EVENT_ID')
}

// Needed once; without a value the vault keeps what it holds.
param secrets = {
  COUPA_CLIENT_SECRET: readEnvironmentVariable('COUPA_CLIENT_SECRET', '')
  MOVEWORKS_API_KEY: readEnvironmentVariable('MOVEWORKS_API_KEY', '')
  MOVEWORKS_LISTENER_SECRET: readEnvironmentVariable('MOVEWORKS_LISTENER_SECRET', '')
  ACTION_TOKEN_KEYS: readEnvironmentVariable('ACTION_TOKEN_KEYS', '')
  AUDIT_KEYS: readEnvironmentVariable('AUDIT_KEYS', '')
}
