// The function app on Flex Consumption. It has three lists of settings: those of the host, plain ones, and secrets.

@description('Required. Name of the app.')
@maxLength(60)
param name string

@description('Required. Name of the plan.')
param planName string

@description('Required. Region.')
param location string

@description('Required. Tags.')
param tags object

@description('Required. Identity that the app runs as.')
param identityName string

@description('Required. Storage account of the host.')
param storageAccountName string

@description('Required. Container that the package is deployed to.')
param packageContainerUrl string

@description('Required. Where the ledger finds its table.')
param tableEndpoint string

@description('Required. Where the vault is reached.')
param vaultUri string

@description('Required. Application Insights component that takes the telemetry.')
param componentName string

@description('Required. Plain settings, by name; an empty one is not set.')
param settings object

@description('Required. Settings that are read from the vault.')
param secretNames string[]

@description('Required. Address ranges that may call the app; none for any.')
param allowedIps string[]

@description('Required. Let the availability test through the address list.')
param isProbed bool

@description('Required. Subnet of the app, or empty.')
param subnetId string

@description('Required. Requests that one instance lets in and serves at a time.')
param httpConcurrency int

@description('Required. Memory of an instance in MB.')
param instanceMemoryMB int

@description('Required. The most instances that may run.')
param maximumInstanceCount int

@description('Required. Instances that are kept warm for HTTP.')
param alwaysReadyInstances int

@description('Required. How instances take a new release or setting.')
param siteUpdateStrategy string

@description('Required. Spread the instances over the zones of the region.')
param zoneRedundant bool

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' existing = {
  name: identityName
}

resource component 'Microsoft.Insights/components@2020-02-02' existing = {
  name: componentName
}

var hostSettings = [
  { name: 'AzureWebJobsStorage__accountName', value: storageAccountName }
  { name: 'AzureWebJobsStorage__credential', value: 'managedidentity' }
  { name: 'AzureWebJobsStorage__clientId', value: identity.properties.clientId }
  { name: 'APPLICATIONINSIGHTS_CONNECTION_STRING', value: component.properties.ConnectionString }
  {
    name: 'APPLICATIONINSIGHTS_AUTHENTICATION_STRING'
    value: 'ClientId=${identity.properties.clientId};Authorization=AAD'
  }
  { name: 'AZURE_CLIENT_ID', value: identity.properties.clientId }
  // One number for all limits of a crowd: each admitted request has a thread, and the others are refused at once.
  { name: 'PYTHON_THREADPOOL_THREAD_COUNT', value: string(httpConcurrency) }
  { name: 'AzureFunctionsJobHost__extensions__http__maxConcurrentRequests', value: string(httpConcurrency) }
  { name: 'AzureFunctionsJobHost__extensions__http__maxOutstandingRequests', value: string(httpConcurrency) }
  { name: 'LEDGER_CONNECTION', value: tableEndpoint }
]

var plainSettings = [
  for setting in filter(items(settings), each => !empty(trim(each.value))): {
    name: setting.key
    value: setting.value
  }
]

// Without a version, so that the app reads a new value within a day, or at the next restart.
// https://learn.microsoft.com/azure/app-service/app-service-key-vault-references
var vaultSettings = [
  for secretName in secretNames: {
    name: secretName
    value: '@Microsoft.KeyVault(SecretUri=${vaultUri}secrets/${toLower(replace(secretName, '_', '-'))}/)'
  }
]

var callers = [
  for range in allowedIps: {
    name: 'caller ${range}'
    ipAddress: range
    action: 'Allow'
    priority: 100
  }
]

var probe = [
  {
    name: 'availability test'
    tag: 'ServiceTag'
    ipAddress: 'ApplicationInsightsAvailability'
    action: 'Allow'
    priority: 200
  }
]

resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
    zoneRedundant: zoneRedundant
  }
}

resource app 'Microsoft.Web/sites@2024-04-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'bridge' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identity.id}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    keyVaultReferenceIdentity: identity.id
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    // Closes /admin to the master key; operators manage the host through Azure's own rights. No published type has it.
    // https://learn.microsoft.com/azure/azure-functions/security-concepts
    #disable-next-line BCP037
    functionsRuntimeAdminIsolationEnabled: true
    functionAppConfig: {
      runtime: {
        name: 'python'
        version: '3.13'
      }
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packageContainerUrl
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identity.id
          }
        }
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        alwaysReady: alwaysReadyInstances > 0 ? [{ name: 'http', instanceCount: alwaysReadyInstances }] : []
        triggers: {
          http: {
            perInstanceConcurrency: httpConcurrency
          }
        }
      }
      // The service accepts it, and no published type has it.
      // https://learn.microsoft.com/azure/azure-functions/flex-consumption-site-updates
      #disable-next-line BCP037
      siteUpdateStrategy: {
        type: siteUpdateStrategy
      }
    }
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      http20Enabled: true
      remoteDebuggingEnabled: false
      ipSecurityRestrictionsDefaultAction: empty(allowedIps) ? 'Allow' : 'Deny'
      ipSecurityRestrictions: concat(callers, isProbed && !empty(allowedIps) ? probe : [])
      appSettings: concat(hostSettings, plainSettings, vaultSettings)
    }
  }
}

resource noPasswords 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-04-01' = {
  parent: app
  name: 'scm'
  properties: {
    allow: false
  }
}

@description('Name of the app.')
output name string = app.name

@description('Where the app is reached.')
output url string = 'https://${app.properties.defaultHostName}'
