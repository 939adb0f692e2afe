// Who the app is: one identity of its own, without a password.

@description('Required. Name of the identity.')
param name string

@description('Required. Region.')
param location string

@description('Required. Tags.')
param tags object

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: name
  location: location
  tags: tags
}

@description('Resource id of the identity.')
output id string = identity.id

@description('Id by which roles name the identity.')
output principalId string = identity.properties.principalId

@description('Id by which the app names the identity.')
output clientId string = identity.properties.clientId
