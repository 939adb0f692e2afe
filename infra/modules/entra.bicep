// Callers need an Entra token of a named client; the function keys stay as the second lock. The app decides which
// client may call which route.
// https://learn.microsoft.com/azure/app-service/configure-authentication-provider-aad

@description('Required. Name of the function app.')
param functionAppName string

@description('Required. Client id of the app registration that stands for the function app.')
param clientId string

@description('Required. Client ids that may call. None would let in any application of the tenant.')
@minLength(1)
param allowedClientIds string[]

resource app 'Microsoft.Web/sites@2024-04-01' existing = {
  name: functionAppName
}

resource authentication 'Microsoft.Web/sites/config@2024-04-01' = {
  parent: app
  name: 'authsettingsV2'
  properties: {
    platform: {
      enabled: true
    }
    globalValidation: {
      requireAuthentication: true
      unauthenticatedClientAction: 'Return401'
      excludedPaths: [
        '/api/health'
      ]
    }
    httpSettings: {
      requireHttps: true
    }
    login: {
      tokenStore: {
        enabled: false
      }
    }
    identityProviders: {
      azureActiveDirectory: {
        enabled: true
        registration: {
          clientId: clientId
          openIdIssuer: '${environment().authentication.loginEndpoint}${subscription().tenantId}/v2.0'
        }
        validation: {
          allowedAudiences: [
            clientId
            'api://${clientId}'
          ]
          defaultAuthorizationPolicy: {
            allowedApplications: allowedClientIds
          }
        }
      }
    }
  }
}
