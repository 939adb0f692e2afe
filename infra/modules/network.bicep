// A virtual network for the app, and private endpoints for its storage and vault.

@description('Required. Name of the network.')
param name string

@description('Required. Region.')
param location string

@description('Required. Tags.')
param tags object

@description('Required. Address range of the network.')
param networkPrefix string

@description('Required. Part of it for the app.')
param appPrefix string

@description('Required. Part of it for the private endpoints.')
param endpointPrefix string

@description('Required. Resource id of the storage account.')
param storageAccountId string

@description('Required. Resource id of the vault.')
param vaultId string

// The default rules allow no call from outside into these subnets.
resource rules 'Microsoft.Network/networkSecurityGroups@2024-05-01' = {
  name: 'nsg-${name}'
  location: location
  tags: tags
}

resource network 'Microsoft.Network/virtualNetworks@2024-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    addressSpace: {
      addressPrefixes: [
        networkPrefix
      ]
    }
    subnets: [
      {
        name: 'app'
        properties: {
          addressPrefix: appPrefix
          networkSecurityGroup: {
            id: rules.id
          }
          delegations: [
            {
              name: 'flex'
              properties: {
                serviceName: 'Microsoft.App/environments'
              }
            }
          ]
        }
      }
      {
        name: 'endpoints'
        properties: {
          addressPrefix: endpointPrefix
          networkSecurityGroup: {
            id: rules.id
          }
          privateEndpointNetworkPolicies: 'Enabled'
        }
      }
    ]
  }
}

module blob 'private-endpoint.bicep' = {
  name: 'private-blob'
  params: {
    name: 'pe-blob-${name}'
    location: location
    tags: tags
    zoneName: 'privatelink.blob.${environment().suffixes.storage}'
    groupId: 'blob'
    targetId: storageAccountId
    networkId: network.id
    subnetId: '${network.id}/subnets/endpoints'
  }
}

module table 'private-endpoint.bicep' = {
  name: 'private-table'
  params: {
    name: 'pe-table-${name}'
    location: location
    tags: tags
    zoneName: 'privatelink.table.${environment().suffixes.storage}'
    groupId: 'table'
    targetId: storageAccountId
    networkId: network.id
    subnetId: '${network.id}/subnets/endpoints'
  }
}

module secrets 'private-endpoint.bicep' = {
  name: 'private-vault'
  params: {
    name: 'pe-vault-${name}'
    location: location
    tags: tags
    zoneName: 'privatelink.vaultcore.azure.net'
    groupId: 'vault'
    targetId: vaultId
    networkId: network.id
    subnetId: '${network.id}/subnets/endpoints'
  }
}

@description('Subnet of the app.')
output appSubnetId string = '${network.id}/subnets/app'
