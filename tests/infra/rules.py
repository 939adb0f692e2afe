"""The rules of the infrastructure: each reads the snapshot of a deployment, and returns the faults in words.

They check what the compiler does not know: the intended settings, roles and locks, and the names of choices
that Azure's types leave open. A rule without anything to check is broken, so most end in an equality.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from settings_pages import BY_TEMPLATE, PLAIN, SECRETS

from coupa_core.callers import CALLER_OF
from coupa_core.hosting import APP, CONCURRENT, OUTSTANDING, THREADS, limits_of, override_of
from infra.snapshots import CLIENTS, KEY, ROOT, WAYS, Snapshot

Resource = dict[str, Any]
Deployments = dict[str, Snapshot]
"""Snapshots by the name of their way, as in `WAYS`."""

Rule = Callable[[Deployments], list[str]]

FLEX = {
    "properties": {
        *("serverFarmId", "httpsOnly", "keyVaultReferenceIdentity", "virtualNetworkSubnetId"),
        *("functionsRuntimeAdminIsolationEnabled", "functionAppConfig", "siteConfig"),
    },
    "properties.functionAppConfig": {"runtime", "deployment", "scaleAndConcurrency", "siteUpdateStrategy"},
    "properties.siteConfig": {
        *("minTlsVersion", "scmMinTlsVersion", "http20Enabled", "remoteDebuggingEnabled", "appSettings"),
        *("ipSecurityRestrictionsDefaultAction", "ipSecurityRestrictions"),
    },
}
"""What is said of the site, and nothing else: much of a site is refused on Flex Consumption, or ignored.

Sources: https://learn.microsoft.com/azure/azure-functions/functions-app-settings#flex-consumption-plan-deprecations,
https://github.com/Azure/azure-cli/issues/31414 (Azure's own refusal).
"""

# https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
ROLES = {
    "Storage Blob Data Owner": ("b7e6dc6d-f1e8-4753-8033-0f276bb0955b", "Microsoft.Storage/storageAccounts"),
    "Storage Table Data Contributor": (
        "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
        "Microsoft.Storage/storageAccounts",
    ),
    "Monitoring Metrics Publisher": ("3913510d-42f4-4e42-8a64-420c390055eb", "Microsoft.Insights/components"),
    "Key Vault Secrets User": ("4633458b-17de-408a-b874-0445c86b69e6", "Microsoft.KeyVault/vaults"),
}
"""Every role of the app, and the type of resource that it is given on."""

MUST: dict[str, dict[str, Any]] = {
    "Microsoft.Storage/storageAccounts": {
        "properties.allowSharedKeyAccess": False,
        "properties.allowBlobPublicAccess": False,
        "properties.minimumTlsVersion": "TLS1_2",
        "properties.supportsHttpsTrafficOnly": True,
    },
    "Microsoft.Storage/storageAccounts/blobServices/containers": {"properties.publicAccess": "None"},
    "Microsoft.KeyVault/vaults": {
        "properties.enableRbacAuthorization": True,
        "properties.enablePurgeProtection": True,
    },
    "Microsoft.OperationalInsights/workspaces": {"properties.features.disableLocalAuth": True},
    "Microsoft.Insights/components": {"properties.DisableLocalAuth": True},
    "Microsoft.Web/serverfarms": {"sku.name": "FC1", "properties.reserved": True},
    "Microsoft.Web/sites": {
        "identity.type": "UserAssigned",
        "properties.httpsOnly": True,
        "properties.functionsRuntimeAdminIsolationEnabled": True,
        "properties.functionAppConfig.runtime.name": "python",
        "properties.functionAppConfig.runtime.version": "3.13",
        "properties.functionAppConfig.deployment.storage.type": "blobContainer",
        "properties.functionAppConfig.deployment.storage.authentication.type": "UserAssignedIdentity",
        "properties.siteConfig.minTlsVersion": "1.2",
        "properties.siteConfig.scmMinTlsVersion": "1.2",
        "properties.siteConfig.remoteDebuggingEnabled": False,
    },
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies": {"properties.allow": False},
    "Microsoft.Web/sites/config": {
        "properties.globalValidation.requireAuthentication": True,
        "properties.globalValidation.unauthenticatedClientAction": "Return401",
        "properties.httpSettings.requireHttps": True,
    },
}
"""What stands in every resource of a type: no keys, TLS 1.2, HTTPS only, the right plan and names."""

ENTRA = "properties.identityProviders.azureActiveDirectory.validation"
ALLOWED = f"{ENTRA}.defaultAuthorizationPolicy.allowedApplications"
CHOSEN: dict[tuple[str, str], tuple[Any, Any]] = {
    ("Microsoft.Storage/storageAccounts", "sku.name"): ("Standard_LRS", "Standard_ZRS"),
    ("Microsoft.Storage/storageAccounts", "properties.publicNetworkAccess"): ("Enabled", "Disabled"),
    ("Microsoft.Storage/storageAccounts", "properties.networkAcls.defaultAction"): ("Allow", "Deny"),
    ("Microsoft.KeyVault/vaults", "properties.publicNetworkAccess"): ("Enabled", "Disabled"),
    ("Microsoft.KeyVault/vaults", "properties.networkAcls.defaultAction"): ("Allow", "Deny"),
    ("Microsoft.Web/serverfarms", "properties.zoneRedundant"): (False, True),
    ("Microsoft.Web/sites", "properties.siteConfig.ipSecurityRestrictionsDefaultAction"): ("Allow", "Deny"),
    ("Microsoft.Web/sites", "tags.cost-center"): (None, "42"),
    ("Microsoft.Web/sites/config", f"{ENTRA}.allowedAudiences"): (None, [CLIENTS[0], f"api://{CLIENTS[0]}"]),
    ("Microsoft.Web/sites/config", ALLOWED): (None, CLIENTS[1:]),
}
"""What follows from a parameter: plain, and with everything switched on; each client once, without blanks."""

HOST_SETTINGS = frozenset(
    {
        *(f"AzureWebJobsStorage__{name}" for name in ("accountName", "credential", "clientId")),
        *(f"APPLICATIONINSIGHTS_{name}_STRING" for name in ("CONNECTION", "AUTHENTICATION")),
        *("AZURE_CLIENT_ID", THREADS, override_of(CONCURRENT), override_of(OUTSTANDING)),
    }
)
"""Settings of the Functions host and of Azure's libraries."""

LOCAL_HOST = frozenset({"FUNCTIONS_WORKER_RUNTIME", "AzureWebJobsStorage"})
"""What a local host needs on top."""


def of_type(snapshot: Snapshot, kind: str) -> list[Resource]:
    """Return the resources of a type."""
    return [each for each in snapshot["predictedResources"] if each["type"] == kind]


def at(value: Any, path: str) -> Any:
    """Return what lies at a path of names, or None."""
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def locks(sent: Deployments) -> list[str]:
    """What closes a door stands in every resource of its type, and what was chosen is what is sent."""
    wrong, seen = [], set()
    for way, each in _all(sent):
        seen.add(each["type"])
        wanted = dict(MUST.get(each["type"], {}))
        is_full = way.endswith("-all")
        wanted |= {where: both[is_full] for (kind, where), both in CHOSEN.items() if kind == each["type"]}
        wrong += [
            f"{way}: {where} of {each['type']} is {at(each, where)}, not {value}"
            for where, value in wanted.items()
            if at(each, where) != value
        ]
    return wrong + [f"no {kind} is sent" for kind in sorted(MUST.keys() - seen)]


def flex(sent: Deployments) -> list[str]:
    """Of the site is said what Flex Consumption takes, the update strategy included; settings have a rule."""
    wrong = []
    for way, site in _sites(sent):
        names = {where: names ^ at(site, where).keys() for where, names in FLEX.items()}
        wrong += [f"{way}: {where} has, or lacks, {each}" for where, each in names.items() if each]
        asked = WAYS[way].get("SITE_UPDATE_STRATEGY") or "Recreate"
        strategy = at(site, "properties.functionAppConfig.siteUpdateStrategy.type")
        wrong += [f"{way}: the site update strategy is {strategy}, not {asked}"] if strategy != asked else []
    return wrong


def crowd(sent: Deployments) -> list[str]:
    """What a crowd meets has one number: the host's doors, its worker's threads, and when the plan scales."""
    wrong = []
    for way, site in _sites(sent):
        given = {each["name"]: each["value"] for each in at(site, "properties.siteConfig.appSettings")}
        scale = at(
            site, "properties.functionAppConfig.scaleAndConcurrency.triggers.http.perInstanceConcurrency"
        )
        names = (THREADS, override_of(CONCURRENT), override_of(OUTSTANDING))
        numbers = {name: given.get(name) for name in names} | {"perInstanceConcurrency": str(scale)}
        asked = str(WAYS[way].get("HTTP_CONCURRENCY") or limits_of(APP, {}).outstanding)
        wrong += [f"{way}: {name} is {each}, not {asked}" for name, each in numbers.items() if each != asked]
    return wrong


def roles(sent: Deployments) -> list[str]:
    """The app has exactly the roles that it needs, each on the one resource that it opens."""
    wrong = []
    for way, snapshot in _apps(sent):
        given: Counter[tuple[str, ...]] = Counter()
        for each in of_type(snapshot, "Microsoft.Authorization/roleAssignments"):
            scope = each["id"].partition("/providers/Microsoft.Authorization/")[0]
            kinds = [other["type"] for other in snapshot["predictedResources"] if other["id"] == scope]
            given[at(each, "properties.roleDefinitionId").rpartition("/")[2], *kinds] += 1
            principal = at(each, "properties.principalId")
            if "/userAssignedIdentities/id-" not in principal or not principal.endswith(".principalId]"):
                wrong.append(f"{way}: {each['name']} is not given to the app's identity")
            if at(each, "properties.principalType") != "ServicePrincipal":
                wrong.append(f"{way}: {each['name']} must say that the principal is a ServicePrincipal")
        for name, role in ROLES.items():
            if given.pop(role, 0) != 1:
                wrong.append(f"{way}: {name} is not given once, on the {role[1]}")
        wrong += [f"{way}: a role that is not known is given: {role}" for role in given]
    return wrong


def settings(sent: Deployments) -> list[str]:
    """The app's settings are those of the code that were given, as they were typed, each once."""
    wrong = []
    for way, site in _sites(sent):
        given = {name: value for name, value in WAYS[way].items() if name in PLAIN and value.strip()}
        if way.startswith("listener-"):
            given["LIST_TOKENS"] = "on"  # an address list stands in front
        listed = [(each["name"], each["value"]) for each in at(site, "properties.siteConfig.appSettings")]
        found, counts = dict(listed), Counter(name for name, _ in listed)
        wrong += [f"{way}: {name} is set twice" for name, count in counts.items() if count > 1]
        wrong += [f"{way}: {name} is {found.get(name)}" for name in given if found.get(name) != given[name]]
        read = {name for name, value in found.items() if value.startswith("[format('@Microsoft.KeyVault(")}
        known = given.keys() | HOST_SETTINGS | BY_TEMPLATE
        wrong += [f"{way}: {name} is not known" for name in sorted(found.keys() - known - read)]
        always = HOST_SETTINGS | BY_TEMPLATE
        wrong += [f"{way}: {name} is not set" for name in sorted(always - found.keys())]
        wrong += [f"{way}: {name} is no secret" for name in sorted(read - SECRETS)]
        wanted = SECRETS - {
            "MOVEWORKS_API_KEY" if way.startswith("listener") else "MOVEWORKS_LISTENER_SECRET"
        }
        wanted -= set() if way.endswith("-all") else {"AUDIT_KEYS"}
        wrong += [f"{way}: the app reads {name}" for name in sorted(read ^ wanted)]
        stored = {
            each["name"].rpartition("/")[2].replace("-", "_").upper()
            for each in of_type(sent[way], "Microsoft.KeyVault/vaults/secrets")
        }
        wrong += [f"{way}: {name} is read and not stored, or stored and not read" for name in stored ^ read]
    return wrong


def secrets(sent: Deployments) -> list[str]:
    """What is secret goes into the vault or a function's key, and nowhere else; no key of Azure's is read."""
    wrong: list[str] = []
    sinks: Counter[str] = Counter()
    for way, each in _all(sent):
        value = at(each, "properties.value") or ""
        if each["type"] in ("Microsoft.KeyVault/vaults/secrets", "Microsoft.Web/sites/functions/keys"):
            sinks[each["type"]] += bool(re.search(r"parameters\('(secrets|\w+Key)'\)", value))
            each = {"name": each["name"]}  # noqa: PLW2901 - the rest must hold none
        wrong += [f"{way}: {each['name']} holds a secret" for _ in _leaks(each)]
    for way, snapshot in sent.items():
        wrong += [
            f"{way}: the output {name} gives a secret away"
            for name, value in snapshot.get("outputs", {}).items()
            if any(_leaks(value)) or not re.fullmatch(r"AZURE_[A-Z_]+_(NAME|URL)", name)
        ]
    wanted = {"Microsoft.KeyVault/vaults/secrets": 14, "Microsoft.Web/sites/functions/keys": len(CALLER_OF)}
    return wrong if sinks == wanted else [*wrong, f"secrets are kept in {dict(sinks)}, not in {wanted}"]


def _leaks(value: Any) -> Iterator[str]:
    yield from re.findall(rf"parameters\('|list\w*\(|{KEY}", json.dumps(value))


def callers(sent: Deployments) -> list[str]:
    """Where there is an address list, only what it holds may call, and the availability test."""
    wrong = []
    for way, site in _sites(sent):
        restrictions = at(site, "properties.siteConfig.ipSecurityRestrictions")
        allowed = [each["ipAddress"] for each in restrictions]
        wanted = ["203.0.113.0/24", "198.51.100.7/32", "ApplicationInsightsAvailability"]
        if allowed != (wanted if way.endswith("-all") else []):
            wrong.append(f"{way}: the address list is {allowed}")
    return wrong


def foretold(sent: Deployments) -> list[str]:
    """Each name and id is known at the start, so that `what-if` shows the resource, and each stands once."""
    wrong = []
    for way, snapshot in sent.items():
        ids = Counter(each["id"] for each in snapshot["predictedResources"])
        wrong += [f"{way}: {each} stands twice" for each, count in ids.items() if count > 1]
        wrong += [f"{way}: {message}" for message in snapshot["diagnostics"]]
    for way, each in _all(sent):
        is_zone = each["type"].startswith("Microsoft.Network/privateDnsZones")  # follows from the cloud
        if "[" in each["id"] + each["name"] and not is_zone:
            wrong.append(f"{way}: {each['name']} is not known at the start")
    return wrong


def alert_rules(sent: Deployments) -> list[str]:
    """Every query is used by an alert of its name; an event is mailed each time and named."""
    queries = {path.stem: path.read_text("utf-8") for path in (ROOT / "infra" / "alerts").glob("*.kql")}
    wrong = []
    for way, snapshot in _apps(sent):
        found = {alert["name"]: alert for alert in alerts(snapshot)}
        wanted_here = queries.keys() - (set() if WAYS[way].get("ENABLE_AVAILABILITY_TEST") else {"health"})
        wrong += [f"{way}: {name} is not an alert and a query" for name in sorted(found.keys() ^ wanted_here)]
        people = WAYS[way].get("MANY_PEOPLE") or "30"
        for name, alert in found.items():
            wanted = queries.get(name, "").replace("people >= 30", f"people >= {people}")
            if alert["query"] != wanted:
                wrong.append(f"{way}: {name} has another query")
            wrong += [f"{way}: {name} {fault}" for fault in _event_faults(alert)]
            if alert["groups"] != [f"ag-{WAYS[way]['AZURE_ENV_NAME']}"]:
                wrong.append(f"{way}: {name} tells nobody")
    return wrong


def _event_faults(alert: dict[str, Any]) -> Iterator[str]:
    """An event is told each time and named; no row may be in two windows, or in none."""
    columns = re.split(r"\W+", re.findall(r"^\| (?:project|summarize) .*", alert["query"], re.MULTILINE)[-1])
    if alert["split_by"] and alert["split_by"] not in columns:
        yield "is split by what its query does not return"
    if alert["name"] in EVENTS and alert["has_state"]:
        yield "is an event: it must have no state, or is mailed once"
    if alert["name"] in EVENTS and alert["window"] != alert["every"]:
        yield "is an event: its window must be the time between two evaluations"
    if alert["name"] in EVENTS and not alert["split_by"]:
        yield "is an event: it must be split by what names it"


EVENTS = frozenset({"approval-parked", "outcome-unknown", "audit-begun"})
"""The alerts about something that happened; the others are about how things are."""


def function_keys(sent: Deployments) -> list[str]:
    """Each function that asks for a key has one of the three kinds, and no other function has."""
    found: Counter[tuple[str, str]] = Counter()
    for each in of_type(sent["keys"], "Microsoft.Web/sites/functions/keys"):
        _, function, kind = each["name"].split("/")
        value = at(each, "properties.value")
        found[function, kind] += 1
        if value != f"[parameters('{kind}Key')]" or at(each, "properties.name") != kind:
            found[function, f"{kind} with {value}"] += 1
    wanted = Counter({(function, str(kind)): 1 for function, kind in CALLER_OF.items()})
    return [f"keys: {function} has the key {kind}" for function, kind in sorted(found - wanted)] + [
        f"keys: {function} lacks the key {kind}" for function, kind in sorted(wanted - found)
    ]


RULES: dict[str, Rule] = {
    rule.__name__: rule
    for rule in (
        *(locks, flex, crowd, roles, settings, secrets, callers, foretold, alert_rules, function_keys),
    )
}


def alerts(snapshot: Snapshot) -> list[dict[str, Any]]:
    """Return the alerts of a deployment, with what matters of each."""
    found = []
    for each in of_type(snapshot, "Microsoft.Insights/scheduledQueryRules"):
        properties = each["properties"]
        [condition] = properties["criteria"]["allOf"]
        found.append(
            {
                "name": properties["displayName"],
                "severity": properties["severity"],
                "query": condition["query"],
                "split_by": "".join(dimension["name"] for dimension in condition["dimensions"]),
                "has_state": properties["autoMitigate"],
                "window": properties["windowSize"],
                "every": properties["evaluationFrequency"],
                "groups": [group.rpartition("/")[2] for group in properties["actions"]["actionGroups"]],
            }
        )
    return found


def _apps(sent: Deployments) -> Iterator[tuple[str, Snapshot]]:
    yield from ((way, snapshot) for way, snapshot in sent.items() if way != "keys")


def _sites(sent: Deployments) -> Iterator[tuple[str, Resource]]:
    for way, snapshot in _apps(sent):
        [site] = of_type(snapshot, "Microsoft.Web/sites")
        yield way, site


def _all(sent: Deployments) -> Iterator[tuple[str, Resource]]:
    yield from ((way, each) for way, snapshot in sent.items() for each in snapshot["predictedResources"])
