"""The rules of the infrastructure: each takes a copy of the repository and returns what is wrong, in words.

A rule that finds nothing to look at is broken, so most end in a count or an equality.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pycep
from tree_sitter import Node

from coupa_core.callers import CALLER_OF
from coupa_core.settings import NAMES, Settings
from infra.bicep import (
    Declaration,
    Template,
    at,
    body,
    functions_in,
    literal,
    names_in,
    pairs,
    templates,
    text,
    walk,
)

FUNCTIONS = frozenset(
    {
        *("concat", "empty", "environment", "guid", "items", "loadTextContent", "replace", "resourceGroup"),
        *("skip", "split", "trim"),
        *("string", "subscription", "subscriptionResourceId", "toLower", "union", "uniqueString"),
    }
)
"""What templates may call: nothing that reads a key, and nothing that differs from one run to the next."""

# https://learn.microsoft.com/azure/azure-functions/functions-app-settings#flex-consumption-plan-deprecations
FORBIDDEN_SETTINGS = frozenset(
    [
        "ENABLE_ORYX_BUILD",
        "SCM_DO_BUILD_DURING_DEPLOYMENT",
        "FUNCTIONS_EXTENSION_VERSION",
        "FUNCTIONS_WORKER_RUNTIME",
        "FUNCTIONS_WORKER_RUNTIME_VERSION",
        "FUNCTIONS_MAX_HTTP_CONCURRENCY",
        "FUNCTIONS_WORKER_PROCESS_COUNT",
        "FUNCTIONS_WORKER_DYNAMIC_CONCURRENCY_ENABLED",
        "WEBSITE_CONTENTAZUREFILECONNECTIONSTRING",
        "WEBSITE_CONTENTOVERVNET",
        "WEBSITE_CONTENTSHARE",
        "WEBSITE_DNS_SERVER",
        "WEBSITE_MAX_DYNAMIC_APPLICATION_SCALE_OUT",
        "WEBSITE_NODE_DEFAULT_VERSION",
        "WEBSITE_RUN_FROM_PACKAGE",
        "WEBSITE_SKIP_CONTENTSHARE_VALIDATION",
        "WEBSITE_VNET_ROUTE_ALL",
    ]
)
FORBIDDEN_PROPERTIES = frozenset(
    [
        "alwaysOn",
        "containerSize",
        "dnsConfiguration",
        "ftpsState",
        "isReserved",
        "isXenon",
        "javaVersion",
        "linuxFxVersion",
        "netFrameworkVersion",
        "powerShellVersion",
        "functionAppScaleLimit",
        "functionsRuntimeScaleMonitoringEnabled",
        "preWarmedInstanceCount",
        "use32BitWorkerProcess",
        "vnetBackupRestoreEnabled",
        "vnetContentShareEnabled",
        "vnetImagePullEnabled",
        "vnetRouteAllEnabled",
        "windowsFxVersion",
        "healthCheckPath",
    ]
)
"""Of a site on Flex Consumption; a health check path is ignored there.

Sources: the page above; https://github.com/Azure/azure-cli/issues/31414 (Azure's own refusal);
https://github.com/microsoft/azure-skills, azure-reliability, Functions (health check).
"""

# https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
ROLES = {
    "storageBlobDataOwner": ("b7e6dc6d-f1e8-4753-8033-0f276bb0955b", "Microsoft.Storage/storageAccounts"),
    "storageTableDataContributor": (
        "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
        "Microsoft.Storage/storageAccounts",
    ),
    "monitoringMetricsPublisher": ("3913510d-42f4-4e42-8a64-420c390055eb", "Microsoft.Insights/components"),
    "keyVaultSecretsUser": ("4633458b-17de-408a-b874-0445c86b69e6", "Microsoft.KeyVault/vaults"),
}
"""Every role of the app, and the type of resource that it is given on."""

LOCKS = {
    ("Microsoft.Storage/storageAccounts", "properties.allowSharedKeyAccess"): "false",
    ("Microsoft.Storage/storageAccounts", "properties.allowBlobPublicAccess"): "false",
    ("Microsoft.Storage/storageAccounts", "properties.minimumTlsVersion"): "TLS1_2",
    ("Microsoft.Storage/storageAccounts", "properties.supportsHttpsTrafficOnly"): "true",
    ("Microsoft.Storage/storageAccounts/blobServices/containers", "properties.publicAccess"): "None",
    ("Microsoft.KeyVault/vaults", "properties.enableRbacAuthorization"): "true",
    ("Microsoft.KeyVault/vaults", "properties.enablePurgeProtection"): "true",
    ("Microsoft.OperationalInsights/workspaces", "properties.features.disableLocalAuth"): "true",
    ("Microsoft.Insights/components", "properties.DisableLocalAuth"): "true",
    ("Microsoft.Web/serverfarms", "sku.name"): "FC1",
    ("Microsoft.Web/serverfarms", "properties.reserved"): "true",
    ("Microsoft.Web/sites", "identity.type"): "UserAssigned",
    ("Microsoft.Web/sites", "properties.httpsOnly"): "true",
    ("Microsoft.Web/sites", "properties.functionsRuntimeAdminIsolationEnabled"): "true",
    ("Microsoft.Web/sites", "properties.functionAppConfig.runtime.name"): "python",
    ("Microsoft.Web/sites", "properties.functionAppConfig.runtime.version"): "3.13",
    (
        "Microsoft.Web/sites",
        "properties.functionAppConfig.deployment.storage.authentication.type",
    ): "UserAssignedIdentity",
    ("Microsoft.Web/sites", "properties.siteConfig.minTlsVersion"): "1.2",
    ("Microsoft.Web/sites", "properties.siteConfig.scmMinTlsVersion"): "1.2",
    ("Microsoft.Web/sites", "properties.siteConfig.remoteDebuggingEnabled"): "false",
    ("Microsoft.Web/sites/basicPublishingCredentialsPolicies", "properties.allow"): "false",
    ("Microsoft.Web/sites/config", "properties.globalValidation.requireAuthentication"): "true",
    ("Microsoft.Web/sites/config", "properties.globalValidation.unauthenticatedClientAction"): "Return401",
    ("Microsoft.Web/sites/config", "properties.httpSettings.requireHttps"): "true",
}
"""What must stand in every resource of a type: no keys, TLS 1.2, HTTPS only, the right plan."""

HOST_SETTINGS = frozenset(
    [
        "AzureWebJobsStorage__accountName",
        "AzureWebJobsStorage__credential",
        "AzureWebJobsStorage__clientId",
        "APPLICATIONINSIGHTS_CONNECTION_STRING",
        "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
        "AZURE_CLIENT_ID",
        "PYTHON_THREADPOOL_THREAD_COUNT",
    ]
)
"""Settings of the Functions host and of Azure's libraries."""

DERIVED = frozenset({"LEDGER_ACCOUNT_URL"})
"""Settings of the product that the template works out."""

LOCAL_ONLY = frozenset({"LEDGER_CONNECTION"})
"""Settings of the product that are not used in Azure: there the ledger has no connection string."""

LOCAL_HOST = frozenset({"FUNCTIONS_WORKER_RUNTIME", "AzureWebJobsStorage"})
"""What a local host needs on top."""

Rule = Callable[[Path], list[str]]


def parsed(root: Path) -> list[str]:
    """Two parsers read every template, and each module makes something."""
    wrong, made = [], 0
    for path in sorted((root / "infra").rglob("*.bicep")):
        try:
            made += len(Template(path).resources)
            tree = pycep.BicepParser().parse(file_path=path)
        except Exception as error:  # noqa: BLE001 - whatever a parser raises is the complaint
            wrong.append(f"{path.name}: {error}")
        else:
            if not {"resources", "modules"} & tree.keys():
                wrong.append(f"{path.name}: makes nothing")
    return wrong if wrong or made >= 20 else [f"only {made} resources were found"]


def names(root: Path) -> list[str]:
    """Every name that is used is declared, and every one that is declared is used."""
    wrong = []
    for path, template in templates(root / "infra").items():
        declared = {each.name: each for each in template.declarations if each.kind != "outputs"}
        used = set()
        for each in template.declarations:
            if each.value:
                for name, node in names_in(each.value):
                    used.add(name)
                    if name not in declared:
                        wrong.append(f"{path}:{node.start_point.row + 1}: {name} is not declared")
            unknown = functions_in(each.value) - FUNCTIONS if each.value else set()
            wrong += [f"{path}: {name}() is not to be called" for name in sorted(unknown)]
        quiet = {name for name, each in declared.items() if each.kind in ("parameters", "variables")}
        wrong += [f"{path}: {name} is never used" for name in sorted(quiet - used)]
    return wrong


def modules(root: Path) -> list[str]:
    """Every module exists, is given what it needs and nothing else, and has the outputs that are read."""
    wrong, called = [], set()
    infra = root / "infra"
    for path, template in templates(infra).items():
        for module in template.modules.values():
            target = ((infra / path).parent / module.of).resolve()
            if not target.is_file():
                wrong.append(f"{path}: {module.of} does not exist")
                continue
            called.add(target)
            inside = Template(target)
            given = set(pairs(at(module.value, "params")))
            wrong += [f"{path}: {module.name} lacks {name}" for name in sorted(inside.required - given)]
            wrong += [
                f"{path}: {module.name} has no {name}" for name in sorted(given - set(inside.parameters))
            ]
            wrong += [
                f"{path}: {module.name} has no output {name}"
                for name in sorted(_outputs_read(template, module.name) - set(inside.outputs))
            ]
    there = {path.resolve() for path in (infra / "modules").glob("*.bicep")}
    return wrong + [f"{path.name} is never called" for path in sorted(there - called)]


def _outputs_read(template: Template, module: str) -> set[str]:
    return set(re.findall(rf"\b{module}\.outputs\.(\w+)", template.source))


def parameters(root: Path) -> list[str]:
    """A parameter says first whether it must be given, and a secure one has no default."""
    wrong = []
    for path, template in templates(root / "infra").items():
        for name, each in template.parameters.items():
            obligation = each.decorators.get("description", "").partition(".")[0]
            wanted = ("Required",) if each.value is None else ("Optional", "Conditional")
            if obligation not in wanted:
                wrong.append(f"{path}: the description of {name} must begin with {' or '.join(wanted)}.")
            if each.is_secure and each.value is not None:
                wrong.append(f"{path}: {name} is secure and has a default")
    return wrong


def secrets(root: Path) -> list[str]:
    """What is secure stays secure: on to secure parameters, into the vault or a function's key, never out."""
    wrong, sinks = [], 0
    infra = root / "infra"
    for path, template in templates(infra).items():
        secure = {name for name, each in template.parameters.items() if each.is_secure}
        for each in template.declarations:
            if each.of in ("Microsoft.KeyVault/vaults/secrets", "Microsoft.Web/sites/functions/keys"):
                sinks += 1
            elif each.value is not None:
                wrong += [f"{path}: {fault}" for fault in _leaks(each, secure, (infra / path).parent)]
    if not Template(infra / "main.bicep").parameters["secrets"].is_secure:
        wrong.append("main.bicep: secrets is not secure")
    return wrong if sinks == 4 else [*wrong, f"{sinks} resources keep secrets, 4 are expected"]


def _leaks(each: Declaration, secure: set[str], folder: Path) -> Iterator[str]:
    """Say where a declaration lets out what is secure."""
    assert each.value is not None
    if each.kind == "modules":
        inside = Template((folder / each.of).resolve()).parameters
        for name, value in pairs(at(each.value, "params")).items():
            if _uses(value, secure) and not inside[name].is_secure:
                yield f"{each.name} is handed a secret as {name}, which is not secure"
    elif _uses(each.value, secure):
        yield f"{each.name} holds a secret"
    if each.kind == "outputs" and re.search(r"(?i)keys|keyvalue|secret|connection", text(each.value)):
        yield f"output {each.name} gives a secret away"


def _uses(node: Node, wanted: set[str]) -> bool:
    return any(name in wanted for name, _ in names_in(node))


def locks(root: Path) -> list[str]:
    """What closes a door stands in every resource of its type."""
    wrong, seen = [], set()
    for path, each in _resources(root):
        for (of, where), wanted in LOCKS.items():
            if each.of == of:
                seen.add((of, where))
                found = literal(at(each.value, *where.split(".")))
                if found != wanted:
                    wrong.append(f"{path}: {where} of {each.name} is {found}, not {wanted}")
    return wrong + [f"no {of} to look for {where}" for of, where in LOCKS.keys() - seen]


def flex(root: Path) -> list[str]:
    """No setting and no property that Flex Consumption refuses or ignores."""
    wrong = [f"{name} is not allowed on Flex" for name in sorted(app_settings(root) & FORBIDDEN_SETTINGS)]
    sites = [(path, each) for path, each in _resources(root) if each.of.startswith("Microsoft.Web/sites")]
    for path, each in sites:
        keys = {
            literal(node.named_children[0]) or text(node.named_children[0])
            for node in walk(each.node)
            if node.type == "object_property"
        }
        wrong += [f"{path}: {name} is not allowed on Flex" for name in sorted(keys & FORBIDDEN_PROPERTIES)]
    return wrong if sites else ["no site was found"]


def roles(root: Path) -> list[str]:
    """The app has exactly the roles that it needs, each on the resource that it opens."""
    wrong, given = [], set()
    for path, template in templates(root / "infra").items():
        for each in template.resources.values():
            if each.of != "Microsoft.Authorization/roleAssignments":
                continue
            definition = at(each.value, "properties", "roleDefinitionId")
            named = [name for name, _ in names_in(definition)] if definition else []
            role = named[0] if len(named) == 1 and named[0] in ROLES else None
            if role is None:
                wrong.append(f"{path}: {each.name} gives a role that is not known")
                continue
            given.add(role)
            identifier, wanted = ROLES[role]
            if literal(template.of_kind("variables")[role].value) != identifier:
                wrong.append(f"{path}: the id of {role} is not {identifier}")
            scope = at(each.value, "scope")
            target = template.of_kind("resources").get(text(scope) if scope else "")
            if target is None or target.of != wanted:
                wrong.append(f"{path}: {role} is not given on a {wanted}")
            wrong += [f"{path}: {each.name} {fault}" for fault in _assignment_faults(each, role)]
    return wrong + [f"nothing gives {role}" for role in sorted(ROLES.keys() - given)]


def _assignment_faults(each: Declaration, role: str) -> Iterator[str]:
    """A name that follows from what, who and which makes a second deployment find the first."""
    scope, principal = at(each.value, "scope"), at(each.value, "properties", "principalId")
    name = at(each.value, "name")
    if not (scope and principal and name):
        yield "lacks scope, principal or name"
    elif text(name) != f"guid({text(scope)}.id, {text(principal)}, {role})":
        yield f"is not named by guid({text(scope)}.id, {text(principal)}, {role})"
    if literal(at(each.value, "properties", "principalType")) != "ServicePrincipal":
        yield "must say that the principal is a ServicePrincipal"


def settings(root: Path) -> list[str]:
    """The app's settings are those of the code: plain ones plain, secret ones from the vault."""
    values = _parameter_file(root)
    plain, vault = set(values["settings"]), set(values["secrets"])
    secret = {
        str(each.alias) for each in Settings.model_fields.values() if "SecretStr" in str(each.annotation)
    }
    known = {str(each.alias) for each in Settings.model_fields.values()}
    wanted_plain = known - secret - DERIVED - LOCAL_ONLY
    wanted_vault = secret - LOCAL_ONLY
    wrong = [f"main.parameters.json: settings lacks {name}" for name in sorted(wanted_plain - plain)]
    wrong += [f"main.parameters.json: secrets lacks {name}" for name in sorted(wanted_vault - vault)]
    wrong += [f"main.parameters.json: {name} is no plain setting" for name in sorted(plain - wanted_plain)]
    wrong += [f"main.parameters.json: {name} is no secret setting" for name in sorted(vault - wanted_vault)]
    host = set(_names_of(_variable(root, "hostSettings")))
    wrong += [f"function-app.bicep: {name} is not set" for name in sorted((HOST_SETTINGS | DERIVED) - host)]
    wrong += [f"function-app.bicep: {name} is not known" for name in sorted(host - HOST_SETTINGS - DERIVED)]
    main = Template(root / "infra" / "main.bicep")
    read = {literal(node) for node in (main.parameters["secretNames"].value or main.root).named_children}
    wrong += [f"main.bicep: secretNames has {name}" for name in sorted(map(str, read)) if name not in vault]
    local = set(json.loads((root / "local.settings.json.example").read_text("utf-8"))["Values"])
    wrong += [
        f"local.settings.json.example: {name} is not known" for name in sorted(local - LOCAL_HOST - known)
    ]
    demanded = {str(each.alias) for each in Settings.model_fields.values() if each.is_required()}
    wrong += [f"local.settings.json.example lacks {name}" for name in sorted((demanded | LOCAL_HOST) - local)]
    shown = set(
        re.findall(r"^\| `([A-Z_]+)` \|", (root / "docs" / "settings.md").read_text("utf-8"), re.MULTILINE)
    )
    wrong += [f"docs/settings.md lacks {name}" for name in sorted(known - shown)]
    return wrong + [f"docs/settings.md: {name} is not known" for name in sorted(shown - known)]


def parameter_files(root: Path) -> list[str]:
    """The parameters of azd and of az are those of the templates; a value has the name of its setting."""
    infra = root / "infra"
    main = Template(infra / "main.bicep")
    values = _parameter_file(root)
    wrong = [
        f"main.parameters.json: {name} is not declared" for name in values if name not in main.parameters
    ]
    wrong += [f"main.parameters.json lacks {name}" for name in sorted(main.required - set(values))]
    for group in ("settings", "secrets"):
        wrong += [
            f"main.parameters.json: {name} must be ${{{name}}}"
            for name, value in values[group].items()
            if value != f"${{{name}}}"
        ]
    wrong += [
        f"main.parameters.json: {name} must be ${{NAME}}, the default stands in main.bicep"
        for name, value in values.items()
        if not isinstance(value, dict) and not re.fullmatch(r"\$\{[A-Z_]+\}", str(value))
    ]
    for path in sorted(infra.glob("*.bicepparam")):
        source = path.read_text("utf-8")
        using = re.search(r"^using '\./(\w+\.bicep)'$", source, re.MULTILINE)
        if using is None:
            wrong.append(f"{path.name}: uses no template")
            continue
        target = Template(infra / using[1])
        given = set(re.findall(r"^param (\w+) =", source, re.MULTILINE))
        wrong += [f"{path.name}: {name} is not declared" for name in sorted(given - set(target.parameters))]
        wrong += [f"{path.name} lacks {name}" for name in sorted(target.required - given)]
        inner = re.findall(r"^  (\w+): readEnvironmentVariable\('(\w+)'", source, re.MULTILINE)
        wrong += [f"{path.name}: {name} is read from {source}" for name, source in inner if name != source]
        known = {*values["settings"], *values["secrets"]}
        wrong += [f"{path.name}: {name} is no setting" for name, _ in inner if name not in known]
    return wrong


def alert_rules(root: Path) -> list[str]:
    """Every query is used by an alert of its name, and every alert has its page."""
    queries = {path.stem for path in (root / "infra" / "alerts").glob("*.kql")}
    wrong = []
    for alert in alerts(root):
        loaded = f"loadTextContent('../alerts/{alert['name']}.kql')"
        if alert["query"] != loaded and not _replaces(root, alert, loaded):
            wrong.append(f"alert {alert['name']} must load ../alerts/{alert['name']}.kql")
        if alert["name"] not in queries:
            wrong.append(f"alert {alert['name']} has no query")
            continue
        wrong += _event_faults(root, alert)
    defined = {alert["name"] for alert in alerts(root)}
    wrong += [f"alerts/{name}.kql is used by no alert" for name in sorted(queries - defined)]
    pages = re.split(r"^## ", (root / "docs" / "runbook.md").read_text("utf-8"), flags=re.MULTILINE)
    steps = {page.split("\n")[0].strip("`"): len(re.findall(r"^\d\. ", page, re.MULTILINE)) for page in pages}
    return wrong + [
        f"docs/runbook.md has no three steps for {name}"
        for name in sorted(defined | {"health"})
        if steps.get(name, 0) < 3
    ]


def _event_faults(root: Path, alert: dict[str, Any]) -> Iterator[str]:
    """An event is told each time and named; no row may be in two windows, or in none."""
    rule = at(Template(root / "infra" / "modules" / "alerts.bicep").resources["alerts"].value, "properties")
    query = (root / "infra" / "alerts" / f"{alert['name']}.kql").read_text("utf-8")
    has_state = at(rule, "autoMitigate")
    if not has_state or text(has_state) != "!rule.isEvent":
        yield "alerts: events must have no state, and states must have one"
    columns = re.split(r"\W+", re.findall(r"^\| (?:project|summarize) .*", query, re.MULTILINE)[-1])
    if alert["splitBy"] and alert["splitBy"] not in columns:
        yield f"alert {alert['name']} is split by what its query does not return"
    if alert["isEvent"] == "true" and alert["windowSize"] != literal(at(rule, "evaluationFrequency")):
        yield f"alert {alert['name']} is an event: its window must be the time between two evaluations"
    if alert["isEvent"] == "true" and not alert["splitBy"]:
        yield f"alert {alert['name']} is an event: it must be split by what names it"


def _replaces(root: Path, alert: dict[str, Any], loaded: str) -> bool:
    """Tell whether a query is loaded and a threshold in it replaced: the text that goes is there, once."""
    given = re.fullmatch(r"replace\((.+), '(\w+ >= )(\d+)', '\2\$\{(\w+)\}'\)", alert["query"])
    if given is None or given[1] != loaded:
        return False
    query = (root / "infra" / "alerts" / f"{alert['name']}.kql").read_text("utf-8")
    default = literal(Template(root / "infra" / "main.bicep").parameters[given[4]].value)
    return query.count(f"{given[2]}{given[3]}\n") == 1 and default == given[3]


def list_tokens(root: Path) -> list[str]:
    """The list decides where an address list stands in front, unless the setting says otherwise."""
    template = Template(root / "infra" / "main.bicep")
    variables = {name: text(each.value) for name, each in template.of_kind("variables").items() if each.value}
    call = template.modules["functionApp"].value
    handed = re.search(r"\bsettings: (\w+)\n", text(call) if call else "")
    wrong = []
    if variables.get("listTokens") != "empty(allowedIps) ? '' : 'on'":
        wrong.append("listTokens does not follow allowedIps")
    if not handed or "empty(settings[?'LIST_TOKENS'] ?? '') ? { LIST_TOKENS: listTokens }" not in (
        variables.get(handed[1], "")
    ):
        wrong.append("the app is not handed LIST_TOKENS")
    return wrong


def function_keys(root: Path) -> list[str]:
    """Each function that asks for a key has one of the three kinds, and no other function has."""
    keys = Template(root / "infra" / "keys.bicep")
    kinds = {
        name: [literal(each) or "" for each in (declaration.value or keys.root).named_children]
        for name, declaration in keys.of_kind("variables").items()
    }
    named = [name for group in kinds.values() for name in group]
    source = (root / "function_app.py").read_text("utf-8")
    routes = re.findall(r"^@app\.route\((.*)\)\ndef (\w+)\(", source, re.MULTILINE)
    locked = {name for details, name in routes if "ANONYMOUS" not in details}
    wrong = [f"keys.bicep: {name} has no key of ours" for name in sorted(locked - set(named))]
    wrong += [f"keys.bicep: {name} takes no key" for name in sorted(set(named) - locked)]
    wrong += [f"keys.bicep: {name} stands twice" for name in sorted({n for n in named if named.count(n) > 1})]
    for group, functions in kinds.items():
        others = {name for name in functions if CALLER_OF.get(name, group)[:5] != group[:5]}
        wrong += [f"keys.bicep: {name} is for {CALLER_OF[name]}" for name in sorted(others)]
    main = (root / "infra" / "main.bicep").read_text("utf-8")
    clients = [name for name in NAMES if name.startswith("ENTRA_")]
    wrong += [f"main.bicep: {name} lets nobody in" for name in clients if f"settings[?'{name}']" not in main]
    if set(kinds) != {"decisionFunctions", "relayFunctions", "operatorFunctions"}:
        wrong.append("keys.bicep: there must be three kinds of callers")
    return wrong


RULES: dict[str, Rule] = {
    rule.__name__: rule
    for rule in (
        *(parsed, names, modules, parameters, secrets, locks, flex, roles),
        *(settings, parameter_files, alert_rules, function_keys, list_tokens),
    )
}


def app_settings(root: Path) -> set[str]:
    """Return every application setting that a deployment makes."""
    values = _parameter_file(root)
    found = set(values["settings"]) | set(values["secrets"])
    for template in templates(root / "infra").values():
        for each in template.of_kind("variables").values():
            found |= set(_names_of(each.value)) if each.value else set()
    return found


def alerts(root: Path) -> list[dict[str, Any]]:
    """Return the alerts as they are declared, by the names there; the query is its source."""
    declared = Template(root / "infra" / "modules" / "alerts.bicep").of_kind("variables")["rules"].value
    return [
        {
            name: text(value) if (said := literal(value)) is None else said
            for name, value in pairs(each).items()
        }
        for each in (declared.named_children if declared else [])
    ]


def _resources(root: Path) -> Iterator[tuple[str, Declaration]]:
    for path, template in templates(root / "infra").items():
        for each in template.resources.values():
            yield path, each


def _variable(root: Path, name: str) -> Node:
    app = Template(root / "infra" / "modules" / "function-app.bicep")
    value = app.of_kind("variables")[name].value
    assert value is not None
    return value


def _names_of(node: Node) -> Iterator[str]:
    """Yield the names in an array of `{ name: ..., value: ... }`."""
    for each in body(node).named_children:
        if each.type == "object" and (name := literal(pairs(each).get("name"))):
            yield name


def _parameter_file(root: Path) -> dict[str, Any]:
    stored = json.loads((root / "infra" / "main.parameters.json").read_text("utf-8"))
    return {name: each["value"] for name, each in stored["parameters"].items()}
