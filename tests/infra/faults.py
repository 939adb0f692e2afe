"""Faults to sow, each with the rule that must see it: file, what stands there, what is put, and the complaint."""

# ruff: noqa: E501 - one fault, one line

from __future__ import annotations

APP, MAIN, VAULT = "infra/modules/function-app.bicep", "infra/main.bicep", "infra/modules/vault.bicep"
STORAGE, ENTRA = "infra/modules/storage.bicep", "infra/modules/entra.bicep"
PARAMETERS, KEYS = "infra/main.parameters.json", "infra/keys.bicep"

FAULTS = [
    ("parsed", MAIN, "param settings object\n", "param settings object = {\n", "cannot be parsed"),
    ("parsed", MAIN, "param tags object = {}", "param tags { *: string } = {}", "main.bicep"),
    ("names", MAIN, "location: location\n    tags: allTags\n    sku", "location: loaction\n    tags: allTags\n    sku", "loaction is not declared"),
    ("names", APP, "value: '@Microsoft.KeyVault(SecretUri=${vaultUri}", "value: '@Microsoft.KeyVault(SecretUri=${vaultUrl}", "vaultUrl is not declared"),
    ("names", STORAGE, "name: guid(account.id, principalId, storageBlobDataOwner)", "name: newGuid()", "newGuid() is not to be called"),
    ("names", STORAGE, "account.properties.primaryEndpoints.table", "account.listKeys().keys[0].value", "listKeys() is not to be called"),
    ("names", MAIN, "    tags: allTags\n    sku: storageSku\n", "    tags: allTags\n    sku: 'Standard_LRS'\n", "storageSku is never used"),
    ("modules", MAIN, "    vaultUri: vault.outputs.uri\n", "", "functionApp lacks vaultUri"),
    ("modules", MAIN, "    vaultUri: vault.outputs.uri\n", "    vaultUri: vault.outputs.uri\n    vault: 'x'\n", "functionApp has no vault"),
    ("modules", MAIN, "vault.outputs.uri", "vault.outputs.url", "vault has no output url"),
    ("modules", MAIN, "modules/vault.bicep", "modules/keyvault.bicep", "keyvault.bicep does not exist"),
    ("modules", MAIN, "modules/entra.bicep", "modules/budget.bicep", "entra.bicep is never called"),
    ("parameters", MAIN, "'Required. Address that", "'Address that", "alertEmail must begin with Required"),
    ("parameters", VAULT, "param secrets object", "param secrets object = {}", "secrets is secure and has a default"),
    ("secrets", MAIN, "@secure()\n", "", "secrets is not secure"),
    ("secrets", VAULT, "output uri string = vault.properties.vaultUri", "output uri string = secrets.COUPA_CLIENT_SECRET", "uri holds a secret"),
    ("secrets", "infra/modules/monitoring.bicep", "string = component.name", "string = component.properties.ConnectionString", "componentName gives a secret away"),
    ("secrets", "infra/modules/secret.bicep", "@secure()\n", "", "handed a secret as value"),
    ("locks", STORAGE, "allowSharedKeyAccess: false", "allowSharedKeyAccess: true", "allowSharedKeyAccess of account is true"),
    ("locks", APP, "    httpsOnly: true\n", "", "httpsOnly of app is None"),
    ("locks", ENTRA, "'Return401'", "'AllowAnonymous'", "unauthenticatedClientAction"),
    ("flex", APP, "{ name: 'AZURE_CLIENT_ID'", "{ name: 'FUNCTIONS_WORKER_RUNTIME', value: 'python' }\n  { name: 'AZURE_CLIENT_ID'", "FUNCTIONS_WORKER_RUNTIME is not allowed"),
    ("flex", PARAMETERS, '"COUPA_SCOPES": "${COUPA_SCOPES}"', '"WEBSITE_RUN_FROM_PACKAGE": "1"', "WEBSITE_RUN_FROM_PACKAGE is not allowed"),
    ("flex", APP, "http20Enabled: true", "alwaysOn: true", "alwaysOn is not allowed"),
    ("roles", STORAGE, "resource mayWriteTables 'Microsoft.Authorization/roleAssignments@2022-04-01'", "resource mayWriteTables 'Microsoft.Authorization/locks@2020-05-01'", "nothing gives storageTableDataContributor"),
    ("roles", STORAGE, "b7e6dc6d-f1e8-4753-8033-0f276bb0955b", "b24988ac-6180-42a0-ab88-20f7382dd24c", "the id of storageBlobDataOwner"),
    ("roles", VAULT, "  scope: vault\n  properties: {\n    principalId", "  properties: {\n    principalId", "keyVaultSecretsUser is not given on"),
    ("roles", STORAGE, "name: guid(account.id, principalId, storageBlobDataOwner)", "name: guid(account.id, 'x')", "is not named by guid"),
    ("settings", PARAMETERS, '        "MOVEWORKS_EVENT_ID": "${MOVEWORKS_EVENT_ID}",\n', "", "settings lacks MOVEWORKS_EVENT_ID"),
    ("settings", PARAMETERS, '"CLAIM_LEASE_S": "${CLAIM_LEASE_S}"', '"CLAIM_LEASE": "${CLAIM_LEASE}"', "CLAIM_LEASE is no plain setting"),
    ("settings", PARAMETERS, '"COUPA_SCOPES"', '"MOVEWORKS_API_KEY"', "MOVEWORKS_API_KEY is no plain setting"),
    ("settings", PARAMETERS, '        "MOVEWORKS_API_KEY": "${MOVEWORKS_API_KEY}",\n', "", "secrets lacks MOVEWORKS_API_KEY"),
    ("settings", APP, "  { name: 'LEDGER_ACCOUNT_URL', value: tableEndpoint }\n", "", "LEDGER_ACCOUNT_URL is not set"),
    ("settings", MAIN, "  'MOVEWORKS_API_KEY'\n", "  'MOVEWORKS_KEY'\n", "secretNames has MOVEWORKS_KEY"),
    ("settings", "local.settings.json.example", '"COUPA_CLIENT_ID"', '"COUPA_CLIENT"', "COUPA_CLIENT is not known"),
    ("settings", "README.md", "| `LEDGER_TABLE` |", "| `LEDGER_TABLES` |", "README.md lacks LEDGER_TABLE"),
    ("parameter_files", PARAMETERS, '"alertEmail"', '"alertMail"', "main.parameters.json lacks alertEmail"),
    ("parameter_files", PARAMETERS, '"COUPA_BASE_URL": "${COUPA_BASE_URL}"', '"COUPA_BASE_URL": "${COUPA_URL}"', "COUPA_BASE_URL must be"),
    ("parameter_files", "infra/az.bicepparam", "param alertEmail", "param email", "email is not declared"),
    ("parameter_files", "infra/az.bicepparam", "  COUPA_CLIENT_ID: readEnvironmentVariable('COUPA_CLIENT_ID')", "  COUPA_CLIENT: readEnvironmentVariable('COUPA_CLIENT')", "COUPA_CLIENT is no setting"),
    ("alert_rules", "infra/modules/alerts.bicep", "../alerts/server-errors.kql", "../alerts/no-complete-sweep.kql", "server-errors must load"),
    ("alert_rules", "infra/modules/alerts.bicep", "'people >= 30'", "'people >= 3'", "many-people must load"),
    ("alert_rules", MAIN, "param manyPeople int = 30", "param manyPeople int = 40", "many-people must load"),
    ("alert_rules", "docs/runbook.md", "## `approval-parked`", "## Parked", "no three steps for approval-parked"),
    ("list_tokens", MAIN, "empty(allowedIps) ? '' : 'on'", "'on'", "listTokens does not follow allowedIps"),
    ("list_tokens", MAIN, "    settings: appSettings\n", "    settings: settings\n", "the app is not handed LIST_TOKENS"),
    ("function_keys", KEYS, "  'trace'\n", "", "trace has no key"),
    ("function_keys", KEYS, "  'trace'\n", "  'trace'\n  'approve'\n", "approve stands twice"),
    ("function_keys", KEYS, "  'notifications'\n", "  'notify'\n", "notify takes no key"),
    ("function_keys", KEYS, "  'notifications'\n", "  'notifications'\n  'status'\n", "status is for operators"),
    ("function_keys", MAIN, "settings[?'ENTRA_RELAY_CLIENTS']", "settings[?'ENTRA_RELAY']", "ENTRA_RELAY_CLIENTS lets nobody in"),
]  # fmt: skip
