// The bridge in one resource group: identity, monitoring, storage, secrets and the function app; network, Entra,
// budget and availability test on request. Names and ids are known at the start, so that `az deployment group what-if`
// foretells what hangs on them; the order stands in dependsOn where only a name is handed on. Defaults are in
// main.bicepparam.

targetScope = 'resourceGroup'

import { clients, plainSettings, secretName, secretSettings } from 'types.bicep'

@description('Name of this deployment, such as approvals-prod, in letters, digits and hyphens; part of the names of all resources.')
@minLength(1)
@maxLength(32)
param environmentName string

@description('Region, one that offers Flex Consumption; empty for that of the resource group.')
param location string

@description('Tags of all resources, beside those that say what they belong to.')
param tags object

@description('Settings of the app that are no secrets.')
param settings plainSettings

@description('Settings of the app that are secrets.')
param secrets secretSettings

@description('Settings that the app reads from the vault. One that the vault does not hold stops the app.')
@minLength(1)
param secretNames secretName[]

@description('Address that the alerts are sent to.')
@minLength(3)
param alertEmail string

@description('Address ranges, such as 203.0.113.7/32, that may call the app; none for any.')
param allowedIps string[]

@description('Client id of the app registration that stands for this app, or empty. With it, callers need an Entra token as well as their key, of a client that ENTRA_CLIENTS names.')
param entraClientId string

@description('Put storage and vault behind private endpoints, and the app into a virtual network. Costs three endpoints and their traffic.')
param enableNetwork bool

@description('Address range of the virtual network. Used with enableNetwork.')
param networkPrefix string

@description('Part of that range for the app, at least a /27. Used with enableNetwork.')
param appPrefix string

@description('Part of that range for the private endpoints. Used with enableNetwork.')
param endpointPrefix string

@description('Spread the instances over the zones of the region. Costs two always-ready instances for the HTTP functions and two for the timer, billed whether they work or not, and storage with ZRS or GZRS. The region must offer it.')
param zoneRedundant bool

@description('Redundancy of the storage account; ZRS and GZRS cost more, and go with zoneRedundant.')
@allowed([
  'Standard_LRS'
  'Standard_ZRS'
  'Standard_GRS'
  'Standard_GZRS'
])
param storageSku string

@description('How instances take a new release or setting. Recreate ends what runs and is over in seconds: a click that is cut off is answered as unconfirmed. RollingUpdate, a preview, lets it end, for minutes old and new instances run side by side, and both are billed.')
@allowed([
  'Recreate'
  'RollingUpdate'
])
param siteUpdateStrategy string

// 512 is documented, too; some regions refused it.
// https://github.com/Azure/azure-rest-api-specs/issues/40898
@description('Memory of an instance in MB; twice the memory costs twice as much a second.')
@allowed([
  2048
  4096
])
param instanceMemoryMB int

@description('Requests that one instance lets in and serves at a time; as many threads are started. More are answered 429 at once.')
@minValue(1)
@maxValue(100)
param httpConcurrency int

@description('Instances that are kept warm for HTTP, billed whether they work or not; with 0 the first click of a quiet hour waits for a start.')
@minValue(0)
@maxValue(20)
param alwaysReadyInstances int

@description('The most instances that may run.')
@minValue(1)
@maxValue(1000)
param maximumInstanceCount int

@description('Days that logs are kept.')
@minValue(30)
@maxValue(730)
param logRetentionDays int

@description('Call the health route from outside every five minutes; each call is billed.')
param enableAvailabilityTest bool

@description('People for whom one caller may act within 15 minutes before it is an alarm; raise it where more approvers are at work at once.')
@minValue(2)
@maxValue(10000)
param manyPeople int

@description('Monthly budget of the resource group, in the currency of the subscription; 0 for none.')
@minValue(0)
param monthlyBudget int

@description('First day of the month in which the budget begins, such as 2026-12-01. Required with monthlyBudget.')
param budgetStartDate string

var region = empty(location) ? resourceGroup().location : location
var allTags = union(tags, { application: 'coupa-approvals', 'azd-env-name': environmentName })
var token = uniqueString(subscription().id, resourceGroup().id, environmentName)
var identityName = 'id-${environmentName}-${token}'
var componentName = 'appi-${environmentName}-${token}'
var functionAppName = 'func-${environmentName}-${token}'

// An address list vouches for the caller beside the key, so the list of what waits may hand out action tokens.
var listTokens = empty(allowedIps) ? '' : 'on'
var chosen = union(settings, empty(trim(settings.?LIST_TOKENS ?? '')) ? { LIST_TOKENS: listTokens } : {})

var entraClients = [for client in clients(settings.?ENTRA_CLIENTS ?? ''): toLower(client)]

module identity 'modules/identity.bicep' = {
  name: 'identity'
  params: {
    name: identityName
    location: region
    tags: allTags
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  params: {
    workspaceName: 'log-${environmentName}-${token}'
    componentName: componentName
    location: region
    tags: allTags
    retentionDays: logRetentionDays
    identityName: identityName
  }
  dependsOn: [identity]
}

module storage 'modules/storage.bicep' = {
  name: 'storage'
  params: {
    name: 'st${token}'
    location: region
    tags: allTags
    sku: storageSku
    isPrivate: enableNetwork
    identityName: identityName
  }
  dependsOn: [identity]
}

module vault 'modules/vault.bicep' = {
  name: 'vault'
  params: {
    name: 'kv-${token}'
    location: region
    tags: allTags
    isPrivate: enableNetwork
    secretNames: secretNames
    secrets: secrets
    identityName: identityName
    workspaceId: monitoring.outputs.workspaceId
  }
  dependsOn: [identity]
}

module network 'modules/network.bicep' = if (enableNetwork) {
  name: 'network'
  params: {
    name: 'vnet-${environmentName}-${token}'
    location: region
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
    name: functionAppName
    planName: 'plan-${environmentName}-${token}'
    location: region
    tags: allTags
    identityName: identityName
    storageAccountName: storage.outputs.name
    packageContainerUrl: storage.outputs.packageContainerUrl
    tableEndpoint: storage.outputs.tableEndpoint
    vaultUri: vault.outputs.uri
    componentName: componentName
    settings: chosen
    secretNames: secretNames
    allowedIps: allowedIps
    isProbed: enableAvailabilityTest
    subnetId: network.?outputs.appSubnetId ?? ''
    httpConcurrency: httpConcurrency
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    alwaysReadyInstances: alwaysReadyInstances
    siteUpdateStrategy: siteUpdateStrategy
    zoneRedundant: zoneRedundant
  }
  dependsOn: [identity]
}

module entra 'modules/entra.bicep' = if (!empty(entraClientId)) {
  name: 'entra'
  params: {
    functionAppName: functionAppName
    clientId: entraClientId
    allowedClientIds: union(entraClients, []) // what is named twice stands once
  }
  dependsOn: [functionApp]
}

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  params: {
    namePrefix: environmentName
    location: region
    tags: allTags
    componentName: componentName
    email: alertEmail
    manyPeople: manyPeople
  }
  dependsOn: [monitoring]
}

module availability 'modules/availability.bicep' = if (enableAvailabilityTest) {
  name: 'availability'
  params: {
    name: 'health-${environmentName}-${token}'
    location: region
    tags: allTags
    componentName: componentName
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
output AZURE_APPLICATION_INSIGHTS_NAME string = componentName
