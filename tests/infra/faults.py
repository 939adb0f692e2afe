"""Faults to inject, each with the expected complaint.

In the snapshots: rule, way, resource (its type, and a text in it), path, new value (`GONE`: none), and the complaint.
In the templates: file, old text, new text, and the complaint.
"""

# ruff: noqa: E501 - one fault, one line

from __future__ import annotations

from typing import Any

from coupa_core.hosting import OUTSTANDING, override_of
from infra.rules import ALLOWED
from infra.snapshots import CLIENTS, KEY

GONE = object()
SITE, PLAN, STORAGE = "Microsoft.Web/sites", "Microsoft.Web/serverfarms", "Microsoft.Storage/storageAccounts"
VAULT, SECRET, ROLE = (
    "Microsoft.KeyVault/vaults",
    "Microsoft.KeyVault/vaults/secrets",
    "Microsoft.Authorization/roleAssignments",
)
ENTRA, ALERT, FUNCTION_KEY = (
    "Microsoft.Web/sites/config",
    "Microsoft.Insights/scheduledQueryRules",
    "Microsoft.Web/sites/functions/keys",
)
CONFIG, SETTINGS = "properties.functionAppConfig", "properties.siteConfig.appSettings"
CONDITION = "properties.criteria.allOf.0"

SENT: list[tuple[str, str, tuple[str, str], str, Any, str]] = [
    ("locks", "events", (STORAGE, ""), "properties.allowSharedKeyAccess", True, "allowSharedKeyAccess of Microsoft.Storage/storageAccounts is True"),
    ("locks", "events", (SITE, ""), "properties.httpsOnly", GONE, "httpsOnly of Microsoft.Web/sites is None"),
    ("locks", "events", (SITE, ""), f"{CONFIG}.deployment.storage.type", "blobContainers", "storage.type of Microsoft.Web/sites is blobContainers"),
    ("locks", "events", (SITE, ""), f"{CONFIG}.runtime.name", "Python", "runtime.name of Microsoft.Web/sites is Python"),
    ("locks", "events", (SITE, ""), "properties.siteConfig.minTlsVersion", "1.0", "minTlsVersion of Microsoft.Web/sites is 1.0"),
    ("locks", "events-all", (ENTRA, ""), "properties.globalValidation.unauthenticatedClientAction", "AllowAnonymous", "unauthenticatedClientAction of Microsoft.Web/sites/config is AllowAnonymous"),
    ("locks", "events-all", (VAULT, ""), "properties.networkAcls.defaultAction", "Allow", "defaultAction of Microsoft.KeyVault/vaults is Allow"),
    ("locks", "events-all", (PLAN, ""), "properties.zoneRedundant", False, "zoneRedundant of Microsoft.Web/serverfarms is False"),
    ("flex", "events", (SITE, ""), f"{CONFIG}.siteUpdateStrategy", GONE, "the site update strategy is None, not Recreate"),
    ("flex", "listener-all", (SITE, ""), f"{CONFIG}.siteUpdateStrategy.type", "Recreate", "the site update strategy is Recreate, not RollingUpdate"),
    ("flex", "events", (SITE, ""), "properties.siteConfig.alwaysOn", True, "properties.siteConfig has, or lacks, {'alwaysOn'}"),
    ("crowd", "events", (SITE, ""), f"{SETTINGS}.PYTHON_THREADPOOL_THREAD_COUNT.value", "8", "PYTHON_THREADPOOL_THREAD_COUNT is 8, not 100"),
    ("crowd", "events-all", (SITE, ""), f"{CONFIG}.scaleAndConcurrency.triggers.http.perInstanceConcurrency", 100, "perInstanceConcurrency is 100, not 50"),
    ("crowd", "listener", (SITE, ""), f"{SETTINGS}.{override_of(OUTSTANDING)}", GONE, "maxOutstandingRequests is None, not 100"),
    ("alert_rules", "events-all", (ALERT, '"displayName": "health"'), "", GONE, "health is not an alert and a query"),
    ("settings", "events", (SITE, ""), f"{SETTINGS}.0.name", "FUNCTIONS_WORKER_RUNTIME", "FUNCTIONS_WORKER_RUNTIME is not known"),
    ("roles", "events", (ROLE, "0a9a7e1f"), "", GONE, "Storage Table Data Contributor is not given once"),
    ("roles", "events", (ROLE, "b7e6dc6d"), "properties.roleDefinitionId", "/b24988ac-6180-42a0-ab88-20f7382dd24c", "a role that is not known is given"),
    ("roles", "events", (ROLE, "4633458b"), "id", "/subscriptions/s/providers/Microsoft.Authorization/roleAssignments/r", "Key Vault Secrets User is not given once, on the"),
    ("roles", "events", (ROLE, "4633458b"), "properties.principalId", CLIENTS[0], "is not given to the app's identity"),
    ("roles", "events", (ROLE, "4633458b"), "properties.principalType", "User", "must say that the principal is a ServicePrincipal"),
    ("settings", "events-all", (SITE, ""), f"{SETTINGS}.DRY_RUN", GONE, "DRY_RUN is None"),
    ("settings", "events-all", (SITE, ""), f"{SETTINGS}.EMAIL_MAP.value", "{ann@corp.example: ann@example.com}", "EMAIL_MAP is {ann"),
    ("settings", "events-all", (SITE, ""), f"{SETTINGS}.DRY_RUN.name", "DRYRUN", "DRYRUN is not known"),
    ("settings", "events-all", (SITE, ""), f"{SETTINGS}.DRY_RUN.name", "MOVEWORKS_API_KEY", "MOVEWORKS_API_KEY is set twice"),
    ("settings", "events", (SITE, ""), f"{SETTINGS}.LEDGER_CONNECTION", GONE, "LEDGER_CONNECTION is not set"),
    ("settings", "listener-all", (SITE, ""), f"{SETTINGS}.LIST_TOKENS", GONE, "LIST_TOKENS is None"),
    ("settings", "listener", (SITE, ""), f"{SETTINGS}.MOVEWORKS_LISTENER_SECRET.name", "MOVEWORKS_API_KEY", "the app reads MOVEWORKS_API_KEY"),
    ("settings", "events", (SECRET, "action-token-keys"), "", GONE, "ACTION_TOKEN_KEYS is read and not stored"),
    ("secrets", "events", (SECRET, "action-token-keys"), "properties.value", KEY, "secrets are kept in"),
    ("secrets", "events-all", (SITE, ""), f"{SETTINGS}.DRY_RUN.value", "[parameters('secrets').COUPA_CLIENT_SECRET]", "holds a secret"),
    ("secrets", "events", (SITE, ""), f"{SETTINGS}.0.value", "[listKeys('x', '2023-05-01').keys[0].value]", "holds a secret"),
    ("locks", "events-all", (ENTRA, ""), ALLOWED, [CLIENTS[1], f" {CLIENTS[2]}", CLIENTS[3]], "allowedApplications of"),
    ("locks", "events-all", (ENTRA, ""), ALLOWED, [""], "allowedApplications of"),
    ("callers", "events-all", (SITE, ""), "properties.siteConfig.ipSecurityRestrictions", [], "the address list is []"),
    ("foretold", "events", (ROLE, "4633458b"), "name", "[guid(reference('x').principalId)]", "is not known at the start"),
    ("alert_rules", "events", (ALERT, "audit-begun"), "", GONE, "audit-begun is not an alert and a query"),
    ("alert_rules", "events", (ALERT, "many-people"), f"{CONDITION}.query", "traces\n| project message", "many-people has another query"),
    ("alert_rules", "events", (ALERT, "audit-begun"), "properties.autoMitigate", True, "audit-begun is an event: it must have no state"),
    ("alert_rules", "events", (ALERT, "outcome-unknown"), "properties.windowSize", "PT15M", "outcome-unknown is an event: its window"),
    ("alert_rules", "events", (ALERT, "approval-parked"), f"{CONDITION}.dimensions", [], "approval-parked is an event: it must be split"),
    ("alert_rules", "events", (ALERT, "approval-parked"), f"{CONDITION}.dimensions.0.name", "approval", "approval-parked is split by what its query does not return"),
    ("alert_rules", "events", (ALERT, "not-told"), "properties.actions.actionGroups", [], "not-told tells nobody"),
    ("function_keys", "keys", (FUNCTION_KEY, "trace"), "", GONE, "trace lacks the key operators"),
    ("function_keys", "keys", (FUNCTION_KEY, "status"), "name", "func/status/relay", "status has the key relay"),
    ("function_keys", "keys", (FUNCTION_KEY, "status"), "properties.value", "[parameters('relayKey')]", "status has the key operators with"),
]  # fmt: skip

MAIN, PARAMETERS = "main.bicep", "main.bicepparam"

REFUSED = [
    (MAIN, "output AZURE_KEY_VAULT_NAME string = vault.outputs.name", "output AZURE_KEY_VAULT_NAME string = secrets.?AUDIT_KEYS ?? ''", "outputs-should-not-contain-secrets"),
    (MAIN, "    sku: storageSku\n", "    sku: 'Standard_LRS'\n", "no-unused-params"),
    (MAIN, "    vaultUri: vault.outputs.uri\n", "", "BCP035"),
    (MAIN, "    identityName: identityName\n", "    identityName: identity.outputs.name\n", "what-if-short-circuiting"),
    (PARAMETERS, "  QUIET_HOURS: read", "  QUIET_HOUR: read", 'Did you mean "QUIET_HOURS"'),
    (PARAMETERS, "  DRY_RUN: read", "  COUPA_CLIENT_SECRET: read", '"COUPA_CLIENT_SECRET" is not allowed'),
    (PARAMETERS, "param alertEmail =", "param alertMail =", 'The parameter "alertMail"'),
]  # fmt: skip
"""What the compiler refuses, all at once."""

MEANT_OTHERWISE = [
    ("modules/storage.bicep", "allowSharedKeyAccess: false", "allowSharedKeyAccess: true", "allowSharedKeyAccess of"),
    ("modules/storage.bicep", "'0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'", "'974c5e8b-45b9-4653-ba55-5f855dd0fb88'", "Storage Table Data Contributor is not given"),
    ("modules/function-app.bicep", "type: 'blobContainer'", "type: 'blobcontainer'", "storage.type of Microsoft.Web/sites is blobcontainer"),
    ("modules/function-app.bicep", "type: siteUpdateStrategy", "type: empty(siteUpdateStrategy) ? '' : 'Recreate'", "the site update strategy is Recreate, not RollingUpdate"),
    ("modules/function-app.bicep", "  { name: 'AZURE_CLIENT_ID'", "  { name: 'AZURE_CLIENT'", "AZURE_CLIENT_ID is not set"),
    ("modules/alerts.bicep", "autoMitigate: !rule.isEvent", "autoMitigate: true", "is an event: it must have no state"),
    (MAIN, "toLower(client)", "client", "allowedApplications of"),
    (PARAMETERS, "DRY_RUN: readEnvironmentVariable('DRY_RUN'", "DRY_RUN: readEnvironmentVariable('PILOT'", "DRY_RUN is PILOT"),
    (MAIN, "empty(allowedIps) ? '' : 'on'", "''", "LIST_TOKENS is None"),
    (MAIN, "    manyPeople: manyPeople\n", "    manyPeople: manyPeople + 10\n", "many-people has another query"),
]  # fmt: skip
"""What compiles, and is not what is meant: seen by the rules in what would be sent."""
