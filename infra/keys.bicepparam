using './keys.bicep'

param functionAppName = readEnvironmentVariable('AZURE_FUNCTION_APP_NAME')
param decisionsKey = readEnvironmentVariable('DECISIONS_KEY')
param relayKey = readEnvironmentVariable('RELAY_KEY')
param operatorsKey = readEnvironmentVariable('OPERATORS_KEY')
