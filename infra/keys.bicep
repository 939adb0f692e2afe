// Three keys for three kinds of callers, each for its own functions only. Deployed after the code: a function that does
// not exist yet takes no key. The values are given, so that deploying again changes nothing.

@description('Required. Name of the function app.')
param functionAppName string

@description('Required. Key of the Moveworks connector: lists and decisions.')
@minLength(32)
@secure()
param decisionsKey string

@description('Required. Key of whoever may relay messages.')
@minLength(32)
@secure()
param relayKey string

@description('Required. Key of operators.')
@minLength(32)
@secure()
param operatorsKey string

// Written by `make docs` from the table of routes.
var functions = loadJsonContent('functions_of_keys.json')

// No published type knows properties, and the service reads the value from there.
// https://github.com/MicrosoftDocs/azure-docs/issues/66001
resource decisionKeys 'Microsoft.Web/sites/functions/keys@2022-09-01' = [
  for function in functions.decisions: {
    name: '${functionAppName}/${function}/decisions'
    #disable-next-line BCP187
    properties: {
      name: 'decisions'
      value: decisionsKey
    }
  }
]

resource relayKeys 'Microsoft.Web/sites/functions/keys@2022-09-01' = [
  for function in functions.relay: {
    name: '${functionAppName}/${function}/relay'
    #disable-next-line BCP187
    properties: {
      name: 'relay'
      value: relayKey
    }
  }
]

resource operatorKeys 'Microsoft.Web/sites/functions/keys@2022-09-01' = [
  for function in functions.operators: {
    name: '${functionAppName}/${function}/operators'
    #disable-next-line BCP187
    properties: {
      name: 'operators'
      value: operatorsKey
    }
  }
]
