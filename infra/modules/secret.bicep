// One secret, written only when a value is given: a deployment without secrets changes none.

@description('Required. Name of the vault.')
param vaultName string

@description('Required. Name of the secret.')
param name string

@description('Required. Value; empty to leave what is there.')
@secure()
param value string

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' existing = {
  name: vaultName
}

resource secret 'Microsoft.KeyVault/vaults/secrets@2023-07-01' = if (!empty(value)) {
  parent: vault
  name: name
  properties: {
    value: value
    contentType: 'text/plain'
  }
}
