"""A stand-in for az, azd, func, gh, make and curl: it takes their arguments and keeps their results.

The commands and options are those of azure-cli 2.91.0, azd 1.31, Core Tools 4.15 and gh 2. Anything else is
an error, written to `errors`. The cloud is a file; `WALK` is the folder with both. Each deployment is noted
with the variables that the parameters read.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

WALK = Path(os.environ["WALK"])
REGIONS = ("westeurope", "northeurope", "eastus", "swedencentral")
PROVIDERS = ("Insights", "KeyVault", "ManagedIdentity", "OperationalInsights", "Storage", "Web")
SUBSCRIPTION = {"id": "00000000-0000-0000-0000-00000000000a", "name": "Approvals"}

SECRETS = (
    "ACTION_TOKEN_KEYS",
    "AUDIT_KEYS",
    "COUPA_CLIENT_SECRET",
    "MOVEWORKS_API_KEY",
    "MOVEWORKS_LISTENER_SECRET",
)

_GLOBAL = "--output -o --query --subscription"
AZ = {
    "login": "--tenant --use-device-code",
    "account set": "--subscription --name -n -s",
    "account show": "--name -n -s",
    "deployment group create": "--resource-group -g --parameters -p --template-file -f --name -n --what-if",
    "deployment group what-if": "--resource-group -g --parameters -p --template-file -f --name -n",
    "functionapp function list": "--resource-group -g --name -n",
    "functionapp identity show": "--resource-group -g --name -n",
    "functionapp list": "--resource-group -g",
    "functionapp list-flexconsumption-locations": "--zone-redundant --runtime --show-details",
    "functionapp restart": "--resource-group -g --name -n",
    "functionapp start": "--resource-group -g --name -n",
    "functionapp stop": "--resource-group -g --name -n",
    "group create": "--name -n --resource-group -g --location -l --tags --managed-by",
    "group delete": "--name -n --resource-group -g --yes -y --no-wait",
    "group show": "--name -n --resource-group -g",
    "identity create": "--name -n --resource-group -g --location -l --tags",
    "identity federated-credential create": "--name --identity-name -g --resource-group --issuer --subject "
    "--audiences",
    "identity show": "--name -n --resource-group -g",
    "keyvault list": "--resource-group -g --resource-type",
    "keyvault list-deleted": "--resource-type",
    "keyvault recover": "--name -n --resource-group -g --location -l",
    "keyvault secret set": "--vault-name --name -n --file -f --value",
    "provider list": "--expand-permissions",
    "provider register": "--namespace -n --wait",
    "role assignment create": "--assignee-object-id --assignee-principal-type --role --scope --assignee",
    "role assignment delete": "--ids --role --scope --assignee",
    "role assignment list": "--all --assignee --role --scope --resource-group -g",
}
AZD = {
    "auth login": "--tenant-id --use-device-code --check-status",
    "deploy": "--all --from-package --timeout",
    "down": "--force --purge",
    "env get-value": "",
    "env get-values": "",
    "env new": "--location -l --subscription",
    "env set": "--file",
    "exec": "--interactive -i --shell -s",
    "provision": "--location -l --no-state --preview --subscription",
    "up": "--location -l --subscription",
}
GH = {
    "variable delete": "--env -e --repo -R",
    "variable set": "--env -e --env-file -f --body -b --repo -R",
    "workflow run": "--field -f --ref -r --repo -R",
}
SWITCHES = {
    "--all",
    "--check-status",
    "--force",
    "--interactive",
    "--no-prompt",
    "--no-state",
    "--no-wait",
    "--preview",
    "--purge",
    "--python",
    "--use-device-code",
    "--wait",
    "--what-if",
    "--yes",
    "-y",
}
TARGETS = ("setup", "package", "gate", "infra", "test")


class Wrong(Exception):
    """The real tool would refuse this."""


def split(table: Mapping[str, str], words: list[str], common: str) -> tuple[str, list[str], dict[str, Any]]:
    """Return the command, its arguments and its options.

    Raises:
        Wrong: the command or an option is not known.
    """
    command = next((" ".join(words[:size]) for size in (3, 2, 1) if " ".join(words[:size]) in table), None)
    if command is None:
        raise Wrong(f"no such command: {' '.join(words[:3])}")
    rest, known = words[len(command.split()) :], {*table[command].split(), *common.split()}
    plain: list[str] = []
    options: dict[str, Any] = {}
    while rest:
        word = rest.pop(0)
        if word == "--":
            return command, plain + rest, options
        name, _, value = word.partition("=")
        if not word.startswith("-"):
            plain.append(word)
            if command == "exec":
                return command, plain + rest, options
            continue
        if name not in known:
            raise Wrong(f"{command}: unrecognized option {name}")
        values = [value] if value else []
        while not values and rest and name not in SWITCHES:
            values.append(rest.pop(0))
            while name == "--ids" and rest:
                values.append(rest.pop(0))
        if name not in SWITCHES and values in ([], [""]):
            raise Wrong(f"{command}: expected a value of {name}")
        options[name] = " ".join(values) if values else True
    return command, plain, options


def parameters() -> dict[str, tuple[str, bool]]:
    """Return the variables that the parameters read, of the app and of its keys, and which are needed."""
    found = {}
    for file in ("main", "keys"):
        source = Path("infra", f"{file}.bicepparam").read_text("utf-8")
        for name, more in re.findall(r"readEnvironmentVariable\('(\w+)'(,)?", source):
            found[f"{file}:{name}"] = (name, not more)
    return found


def given(file: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Return what the parameters read; what is empty is not set.

    Raises:
        Wrong: the compiler would refuse it.
    """
    read = [each for key, each in parameters().items() if key.startswith(f"{file}:")]
    for name, is_needed in read:
        if is_needed and not environment.get(name):
            raise Wrong(f'BCP427: Environment variable "{name}" does not exist')
    return {name: environment[name] for name, _ in read if environment.get(name, "").strip()}


class Cloud(dict[str, Any]):
    """What Azure and GitHub keep, and what was done; in a file."""

    def __enter__(self) -> Self:
        self.lock = (WALK / "lock").open("w")
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        file = WALK / "cloud.json"
        self.update(groups={}, deployments=[], published=[], github={}, roles=[], providers=[], deleted=[])
        if file.exists():
            self.update(json.loads(file.read_text("utf-8")))
        return self

    def __exit__(self, *_: object) -> None:
        (WALK / "cloud.json").write_text(json.dumps(self, indent=1), "utf-8")
        self.lock.close()

    def deploy(self, way: str, group: str, file: str, environment: Mapping[str, str]) -> None:
        """Deploy templates: a secret that is given is stored, one that is not stays.

        Raises:
            Wrong: there is no such group, or no value for what is needed.
        """
        values = given(file, environment)
        if group not in self["groups"]:
            raise Wrong(f"ResourceGroupNotFound: {group}")
        here, plain = self["groups"][group], {name: values[name] for name in values if name not in SECRETS}
        if file == "keys":
            if not here.get("published"):
                raise Wrong("NotFound: the functions are not known yet")
            here["keys"] = {name: value for name, value in values.items() if name.endswith("_KEY")}
        else:
            name = values["AZURE_ENV_NAME"]
            if any(each["properties"]["tags"]["azd-env-name"] == name for each in self["deleted"]):
                raise Wrong("ConflictError: a vault with the same name already exists in deleted state")
            secrets = {name: environment.get(name, "") for name in SECRETS}
            here.setdefault("vault", {}).update({name: value for name, value in secrets.items() if value})
            here.update(app=f"func-{name}-x7", settings=plain, name=name)
        self["deployments"].append({"way": way, "group": group, "file": file, "variables": plain})

    def publish(self, way: str, group: str) -> None:
        """Publish the code."""
        if not Path("build/package/function_app.py").exists():
            raise Wrong("there is no package: make package")
        self["groups"][group]["published"] = True
        self["published"].append(way)

    def group_of(self, app: str) -> str:
        """Return the group of an app.

        Raises:
            Wrong: there is no such app.
        """
        for name, group in self["groups"].items():
            if app and group.get("app") == app:
                return str(name)
        raise Wrong(f"can't find app with name {app!r}")


def az(words: list[str], cloud: Cloud) -> Any:
    """Do what `az` does, and return what it prints."""
    command, plain, options = split(AZ, words, _GLOBAL)
    if plain:
        raise Wrong(f"{command}: unrecognized arguments: {' '.join(plain)}")
    group = options.get("--resource-group", options.get("--name", ""))
    if command == "login":
        cloud["login"] = True
    elif not cloud.get("login"):
        raise Wrong("Please run 'az login' to setup account.")
    elif command == "account set" and options["--subscription"] not in SUBSCRIPTION.values():
        raise Wrong(f"The subscription of '{options['--subscription']}' doesn't exist")
    elif command == "account show":
        return SUBSCRIPTION
    elif command.startswith("deployment group"):
        file = re.fullmatch(r"infra/(main|keys)\.bicepparam", options["--parameters"])
        if not file:
            raise Wrong(f"there is no {options['--parameters']}")
        if command.endswith("what-if"):
            given(file[1], os.environ)
        else:
            cloud.deploy("az", group, file[1], os.environ)
    else:
        return _rest_of_az(command, options, group, cloud)
    return None


def _rest_of_az(command: str, options: Mapping[str, Any], group: str, cloud: Cloud) -> Any:
    groups = cloud["groups"]
    if command == "group create":
        groups.setdefault(group, {"location": options["--location"]})
    elif command == "group delete":
        _delete(cloud, group)
    elif command == "keyvault recover":
        [vault] = [each for each in cloud["deleted"] if each["name"] == options["--name"]]
        if group not in groups:
            raise Wrong(f"ResourceGroupNotFound: {group}")
        cloud["deleted"].remove(vault)
        groups[group].update(vault=vault.pop("holds"), name=vault["properties"]["tags"]["azd-env-name"])
    elif command == "provider register":
        cloud["providers"].append(options["--namespace"])
    elif command == "functionapp identity show":
        cloud.group_of(options["--name"])
        return {"userAssignedIdentities": {"/subscriptions/s/id-x7": {"principalId": "p-1"}}}
    elif command == "role assignment list" and options.get("--assignee") != "p-1":
        raise Wrong(f"{options.get('--assignee')} is no identity of ours")
    elif command == "role assignment create":
        cloud["roles"].append([options["--role"], options["--scope"]])
    else:
        return _answer(command, group, cloud)
    return None


def _answer(command: str, group: str, cloud: Cloud) -> Any:
    identity = {"principalId": "p-1", "clientId": "c-1"}
    late = {"Microsoft.OperationalInsights"} - {*cloud["providers"]}
    states = {True: "NotRegistered", False: "Registered"}
    return {
        "functionapp list": [
            {"name": "func-payroll", "tags": None},
            {"name": "func-ledger", "tags": {"azd-env-name": "ledger"}},
            *(
                {"name": name, "tags": {"azd-env-name": each["name"]}}
                for each in [cloud["groups"].get(group, {})]
                if "app" in each
                for name in [each["app"], *each.get("copies", [])]
            ),
        ],
        "functionapp list-flexconsumption-locations": [{"name": name} for name in REGIONS],
        "group show": {"id": f"/subscriptions/s/resourceGroups/{group}"},
        "identity show": identity,
        "keyvault list": [
            {"name": "kv-x7", "resourceGroup": name, "tags": {"azd-env-name": each["name"]}}
            for name, each in cloud["groups"].items()
            if "vault" in each
        ],
        "keyvault list-deleted": cloud["deleted"],
        "provider list": [
            {"namespace": name, "registrationState": states[name in late]}
            for name in map("Microsoft.{}".format, PROVIDERS)
        ],
        "role assignment list": [{"id": "/r/1"}, {"id": "/r/2"}],
    }.get(command)


def _delete(cloud: Cloud, group: str) -> None:
    """Delete a group; its vault is kept."""
    gone = cloud["groups"].pop(group, {})
    if "vault" in gone:
        tags = {"azd-env-name": gone["name"]}
        place = {
            "vaultId": f"/subscriptions/s/resourceGroups/{group}/providers/v",
            "location": gone["location"],
        }
        more = {"tags": tags, "scheduledPurgeDate": "2027-02-27T00:00:00+00:00"}
        cloud["deleted"].append({"name": "kv-x7", "properties": place | more, "holds": gone["vault"]})


def query(answer: Any, asked: str) -> str:
    """Return the part of an answer that a simple query asks for, as tsv."""
    for name in re.findall(r"\.?(\w+|\*)", asked):
        if name == "*":
            answer = list(answer.values())
        else:
            answer = [each[name] for each in answer] if isinstance(answer, list) else answer[name]
    return "\n".join(answer if isinstance(answer, list) else [str(answer)])


class Environment(dict[str, str]):
    """An environment of azd: a file below `.azure`, by `AZURE_ENV_NAME` or as the folder's only one."""

    def __init__(self, name: str | None = None) -> None:
        there = sorted(path.name for path in Path(".azure").glob("*") if path.is_dir())
        chosen = name or os.environ.get("AZURE_ENV_NAME") or (there[0] if len(there) == 1 else "")
        if not chosen or (name is None and chosen not in there):
            raise Wrong("no environment is selected: azd env new")
        self.file = Path(".azure", chosen, ".env.json")
        super().__init__(json.loads(self.file.read_text("utf-8")) if self.file.exists() else {})

    def save(self) -> None:
        """Keep it."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_text(json.dumps(self), "utf-8")

    def over(self) -> dict[str, str]:
        """Return it over the shell's environment, as azd does for hooks and parameters."""
        return {**os.environ, **self}


def dotenv(text: str) -> dict[str, str]:
    """Read the text of a file as godotenv does, which azd and gh use."""
    lines = [line for line in text.splitlines() if re.match(r"\w+=", line)]
    pairs = [line.partition("=") for line in lines]
    return {name: "".join(shlex.split(value, comments=True)) for name, _, value in pairs}


def hook(name: str, environment: Mapping[str, str]) -> None:
    """Run a hook of azure.yaml, with the shell that it names.

    Raises:
        Wrong: it failed.
    """
    source = Path("azure.yaml").read_text("utf-8")
    pattern = rf"^ +{name}:\n +posix:\n +shell: sh\n +run: (?:\|\n)?(.*?)\n +windows:"
    [text] = re.findall(pattern, source, re.MULTILINE | re.DOTALL)
    done = subprocess.run(["sh", "-c", text], env=dict(environment), check=False)
    if done.returncode:
        raise Wrong(f"'{name}' hook failed with exit code: '{done.returncode}'")


def azd(words: list[str]) -> Any:
    """Do what `azd` does, and return what it prints; hooks call `az`, so the cloud is not held meanwhile."""
    command, plain, options = split(AZD, words, "--environment -e --no-prompt --cwd -C --debug")
    with Cloud() as cloud:
        if command == "auth login":
            cloud["azd_login"] = True
        elif not cloud.get("azd_login") and not command.startswith("env"):
            raise Wrong("not logged in, run `azd auth login` to login")
    if command == "env new":
        own = Environment(plain[0])
        if own:
            raise Wrong(f"creating new environment: environment '{plain[0]}' already exists")
        own.update(AZURE_ENV_NAME=plain[0], AZURE_SUBSCRIPTION_ID=options["--subscription"])
        own.update(AZURE_LOCATION=options["--location"])
        own.save()
    elif command.startswith("env"):
        return _env(command, plain, options)
    elif command == "exec":
        sys.exit(subprocess.run(plain, env=Environment().over(), check=False).returncode)
    elif command == "down":
        with Cloud() as cloud:
            _delete(cloud, Environment()["AZURE_RESOURCE_GROUP"])
    elif command != "auth login":
        _deploy(command)
    return None


def _env(command: str, plain: list[str], options: Mapping[str, Any]) -> Any:
    own = Environment()
    if command == "env set":
        if options.get("--file"):
            own.update(dotenv(Path(options["--file"]).read_text("utf-8")))
        elif len(plain) == 2 and "=" not in plain[0]:
            own[plain[0]] = plain[1]
        else:
            own.update({name: value for name, _, value in (each.partition("=") for each in plain)})
        own.save()
        return None
    return own[plain[0]] if plain else "\n".join(f"{name}={json.dumps(value)}" for name, value in own.items())


def _deploy(command: str) -> None:
    own = Environment()
    if command in ("up", "provision"):
        hook("preprovision", own.over())
        with Cloud() as cloud:
            group = own.get("AZURE_RESOURCE_GROUP") or own["AZURE_ENV_NAME"]
            cloud["groups"].setdefault(group, {"location": own["AZURE_LOCATION"]})
            cloud.deploy("azd", group, "main", own.over())
            own["AZURE_FUNCTION_APP_NAME"] = cloud["groups"][group]["app"]
            own["AZURE_RESOURCE_GROUP"] = group
        own.save()
    if command in ("up", "deploy"):
        _package()
        with Cloud() as cloud:
            cloud.publish("azd", own["AZURE_RESOURCE_GROUP"])
        hook("postdeploy", own.over())


def _package() -> None:
    """Make the package, in a word."""
    Path("build/package").mkdir(parents=True, exist_ok=True)
    Path("build/package/function_app.py").touch()


def func(words: list[str], cloud: Cloud) -> None:
    """Do what `func` does."""
    if words[:3] != ["azure", "functionapp", "publish"] or words[4:] != ["--python"]:
        raise Wrong(f"not known: func {' '.join(words)}")
    group, package = cloud.group_of(words[3]), Path("function_app.py")
    if not package.exists() or Path("tests").exists():
        raise Wrong("func publishes the folder that it is started in, and this is not the package")
    cloud["groups"][group]["published"] = True
    cloud["published"].append("func")


def gh(words: list[str], cloud: Cloud) -> None:
    """Do what `gh` does; GitHub takes no variable without a value, and keeps one until it is deleted.

    Raises:
        Wrong: a value is empty, or there is no such workflow.
    """
    command, plain, options = split(GH, words, "")
    if command == "variable delete":
        del cloud["github"][plain[0]]
    elif command == "variable set":
        values = dotenv(
            sys.stdin.read()
            if options["--env-file"] == "-"
            else Path(options["--env-file"]).read_text("utf-8")
        )
        if not all(values.values()):
            raise Wrong("a variable needs a value")
        cloud["github"].update(values)
    elif plain != ["Deploy"]:
        raise Wrong(f"no such workflow: {plain}")
    else:
        cloud["runs"] = [*cloud.get("runs", []), options.get("--field", "")]


def curl(words: Sequence[str]) -> str:
    """Answer as the app would, where the address is that of an app."""
    [url] = [word for word in words if word.startswith("http")]
    return _app_says(url, words)


def _app_says(url: str, words: Sequence[str]) -> str:
    app = re.fullmatch(r"https://([\w-]+)\.azurewebsites\.net/api/(\w+)", url)
    with Cloud() as cloud:
        if not app:
            raise Wrong(f"could not resolve {url}")
        here = cloud["groups"][cloud.group_of(app[1])]
        if app[2] == "status" and f"x-functions-key: {here['keys']['OPERATORS_KEY']}" not in words:
            raise Wrong("401")
    return f"{app[2]}: ok"


def make(target: str, *given: str) -> None:
    """Make a target, or stand for that.

    Raises:
        Wrong: there is no such target, or no such deployment.
    """
    if target not in TARGETS:
        raise Wrong(f"no rule to make target '{target}'")
    if target == "package":
        _package()
    if target == "gate":
        [url] = [each.removeprefix("URL=") for each in given]
        _app_says(f"{url}/api/health", ())


def main() -> int:
    """Be the tool by whose name this was started."""
    tool, words = Path(sys.argv[0]).name, sys.argv[1:]
    with (WALK / "calls").open("a") as calls:
        calls.write(json.dumps([tool, *words]) + "\n")
    try:
        if tool == "azd":
            said = azd(words)
        elif tool == "curl":
            said = curl(words)
        elif tool == "make":
            said = None
            make(*words)
        else:
            with Cloud() as cloud:
                said = {"az": az, "func": func, "gh": gh}[tool](words, cloud)
    except (Wrong, KeyError) as error:
        with (WALK / "errors").open("a") as errors:
            errors.write(f"{tool} {' '.join(words)}: {error}\n")
        sys.stderr.write(f"ERROR: {error}\n")
        return 1
    asked = words[words.index("--query") + 1] if "--query" in words else ""
    if said is not None:
        text = query(said, asked) if asked else said if isinstance(said, str) else json.dumps(said)
        sys.stdout.write(f"{text}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
