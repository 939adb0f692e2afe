// The bridge in one resource group: identity, monitoring, storage, secrets and the function app; network, Entra,
// budget and availability test on request. Written in the plain dialect that checkov's parser reads.

targetScope = 'resourceGroup'

@description('Required. Name of this deployment, such as approvals-prod, in letters, digits and hyphens; part of the names of all resources.')
@minLength(1)
@maxLength(32)
param environmentName string

@description('Optional. Region; one that offers Flex Consumption.')
param location string = resourceGroup().location

@description('Optional. Tags of all resources.')
param tags object = {}

@description('Required. Application settings that are no secrets, by name; an empty value means the default of the code.')
param settings object

@description('Required. Secrets by the name of their setting; an empty value leaves what the vault holds.')
@secure()
param secrets object

@description('Optional. Settings that the app reads from the vault. Name only those that are set there: one that cannot be read stops the app.')
param secretNames array = [
  'COUPA_CLIENT_SECRET'
  'MOVEWORKS_API_KEY'
  'ACTION_TOKEN_KEYS'
]

@description('Required. Address that the alerts are sent to.')
@minLength(3)
param alertEmail string

@description('Optional. Address ranges, such as 203.0.113.7/32, that may call the app; none for any.')
param allowedIps array = []

@description('Optional. Client id of the app registration that stands for this app; with it, callers need an Entra token as well as their key, of a client that ENTRA_DECISION_CLIENTS, ENTRA_RELAY_CLIENTS or ENTRA_OPERATOR_CLIENTS names.')
param entraClientId string = ''

@description('Optional. Put storage and vault behind private endpoints, and the app into a virtual network.')
param enableNetwork bool = false

@description('Conditional. Address range of the virtual network. Used with enableNetwork.')
param networkPrefix string = '10.60.0.0/24'

@description('Conditional. Part of that range for the app, at least a /27. Used with enableNetwork.')
param appPrefix string = '10.60.0.0/26'

@description('Conditional. Part of that range for the private endpoints. Used with enableNetwork.')
param endpointPrefix string = '10.60.0.64/26'

@description('Optional. Redundancy of the storage account.')
@allowed([
  'Standard_LRS'
  'Standard_ZRS'
  'Standard_GRS'
  'Standard_GZRS'
])
param storageSku string = 'Standard_LRS'

@description('Optional. Requests that one instance serves at a time; as many threads are started.')
@minValue(1)
@maxValue(100)
param httpConcurrency int = 8

@description('Optional. Memory of an instance in MB.')
@allowed([
  512
  2048
  4096
])
param instanceMemoryMB int = 2048

@description('Optional. The most instances that may run.')
@minValue(1)
@maxValue(1000)
param maximumInstanceCount int = 40

@description('Optional. Instances that are kept warm for HTTP; 0 lets the first click of a quiet hour wait for a start.')
@minValue(0)
@maxValue(20)
param alwaysReadyInstances int = 0

@description('Optional. Days that logs are kept.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 90

@description('Optional. Call the health route from outside every five minutes.')
param enableAvailabilityTest bool = false

@description('Optional. People for whom one caller may act within 15 minutes before it is an alarm; raise it where more approvers are at work at once.')
@minValue(2)
@maxValue(10000)
param manyPeople int = 30

@description('Optional. Monthly budget of the resource group, in the currency of the subscription; 0 for none.')
@minValue(0)
param monthlyBudget int = 0

@description('Conditional. First day of the month in which the budget begins, such as 2026-12-01. Required with monthlyBudget.')
param budgetStartDate string = ''

var token = uniqueString(subscription().id, resourceGroup().id, environmentName)
// An address list vouches for the caller beside the key, so the list of what waits may hand out action tokens.
var listTokens = empty(allowedIps) ? '' : 'on'
var appSettings = union(settings, empty(settings[?'LIST_TOKENS'] ?? '') ? { LIST_TOKENS: listTokens } : {})
var allTags = union(tags, { application: 'coupa-approvals', 'azd-env-name': environmentName })

var decisionClients = split(settings[?'ENTRA_DECISION_CLIENTS'] ?? '', ',')
var relayClients = split(settings[?'ENTRA_RELAY_CLIENTS'] ?? '', ',')
var operatorClients = split(settings[?'ENTRA_OPERATOR_CLIENTS'] ?? '', ',')
var entraClients = [for client in concat(decisionClients, relayClients, operatorClients): trim(client)]

module identity 'modules/identity.bicep' = {
  name: 'identity'
  params: {
    name: 'id-${environmentName}-${token}'
    location: location
    tags: allTags
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  params: {
    workspaceName: 'log-${environmentName}-${token}'
    componentName: 'appi-${environmentName}-${token}'
    location: location
    tags: allTags
    retentionDays: logRetentionDays
    publisherPrincipalId: identity.outputs.principalId
  }
}

module storage 'modules/storage.bicep' = {
  name: 'storage'
  params: {
    name: 'st${token}'
    location: location
    tags: allTags
    sku: storageSku
    isPrivate: enableNetwork
    principalId: identity.outputs.principalId
  }
}

module vault 'modules/vault.bicep' = {
  name: 'vault'
  params: {
    name: 'kv-${token}'
    location: location
    tags: allTags
    isPrivate: enableNetwork
    secretNames: secretNames
    secrets: secrets
    readerPrincipalId: identity.outputs.principalId
    workspaceId: monitoring.outputs.workspaceId
  }
}

module network 'modules/network.bicep' = if (enableNetwork) {
  name: 'network'
  params: {
    name: 'vnet-${environmentName}-${token}'
    location: location
    tags: allTags
    networkPrefix: networkPrefix
    appPrefix: appPrefix
    endpointPrefix: endpointPrefix
    storageAccountId: storage.outputs.id
    vaultId: vault.outputs.id
  }
}

module functionApp 'modules/function-app.bicep' = {
  name: 'function-app'
  params: {
    name: 'func-${environmentName}-${token}'
    planName: 'plan-${environmentName}-${token}'
    location: location
    tags: allTags
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    storageAccountName: storage.outputs.name
    packageContainerUrl: storage.outputs.packageContainerUrl
    tableEndpoint: storage.outputs.tableEndpoint
    vaultUri: vault.outputs.uri
    componentName: monitoring.outputs.componentName
    settings: appSettings
    secretNames: secretNames
    allowedIps: allowedIps
    isProbed: enableAvailabilityTest
    subnetId: enableNetwork ? network.outputs.appSubnetId : ''
    httpConcurrency: httpConcurrency
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    alwaysReadyInstances: alwaysReadyInstances
  }
}

module entra 'modules/entra.bicep' = if (!empty(entraClientId)) {
  name: 'entra'
  params: {
    functionAppName: functionApp.outputs.name
    clientId: entraClientId
    // The empty text comes first in the union and is skipped; what is named twice stands once.
    allowedClientIds: skip(union([''], entraClients), 1)
  }
}

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  params: {
    namePrefix: environmentName
    location: location
    tags: allTags
    componentName: monitoring.outputs.componentName
    email: alertEmail
    manyPeople: manyPeople
  }
}

module availability 'modules/availability.bicep' = if (enableAvailabilityTest) {
  name: 'availability'
  params: {
    name: 'health-${environmentName}-${token}'
    location: location
    tags: allTags
    componentName: monitoring.outputs.componentName
    url: '${functionApp.outputs.url}/api/health'
    actionGroupId: alerts.outputs.actionGroupId
  }
}

module budget 'modules/budget.bicep' = if (monthlyBudget > 0) {
  name: 'budget'
  params: {
    name: 'budget-${environmentName}'
    amount: monthlyBudget
    startDate: budgetStartDate
    email: alertEmail
  }
}

output AZURE_FUNCTION_APP_NAME string = functionApp.outputs.name
output AZURE_FUNCTION_APP_URL string = functionApp.outputs.url
output AZURE_KEY_VAULT_NAME string = vault.outputs.name
output AZURE_STORAGE_ACCOUNT_NAME string = storage.outputs.name
output AZURE_APPLICATION_INSIGHTS_NAME string = monitoring.outputs.componentName
