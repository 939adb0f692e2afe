#!/usr/bin/env python3
"""Checks before a deployment whether it can succeed, and prints the next step for each fault.

It reads `bridge.env`, and other variables from the environment, as a shell that loads the file; it asks `az`,
and the app's own reader where this Python has the packages for it. It changes nothing, and shows no secret.
With `--secrets` it also checks the secrets of a first deployment. It needs only Python, so that azd runs it
on any machine.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]

SECRETS = {
    "COUPA_CLIENT_SECRET",
    "MOVEWORKS_API_KEY",
    "MOVEWORKS_LISTENER_SECRET",
    "ACTION_TOKEN_KEYS",
    "AUDIT_KEYS",
    "DECISIONS_KEY",
    "RELAY_KEY",
    "OPERATORS_KEY",
}
NEEDED = (
    "AZURE_ENV_NAME",
    "AZURE_RESOURCE_GROUP",
    "AZURE_SUBSCRIPTION_ID",
    "AZURE_LOCATION",
    "ALERT_EMAIL",
    "COUPA_BASE_URL",
    "COUPA_CLIENT_ID",
)
OF_CHANNEL = (
    ("MOVEWORKS_EVENT_ID", "MOVEWORKS_API_KEY"),
    ("MOVEWORKS_LISTENER_ID", "MOVEWORKS_LISTENER_SECRET"),
)
OF_TOOLS = {"AZURE_RESOURCE_GROUP", "AZURE_SUBSCRIPTION_ID", "AZURE_FUNCTION_APP_NAME"}
"""Variables that only azd, az, func or the workflow read."""

PROVIDERS = (
    "Microsoft.Insights",
    "Microsoft.KeyVault",
    "Microsoft.ManagedIdentity",
    "Microsoft.OperationalInsights",
    "Microsoft.Storage",
    "Microsoft.Web",
)
"""The resource providers of the templates."""

OF_NETWORK = ("Microsoft.App", "Microsoft.Network")
"""More providers for a virtual network: the app's subnet is delegated to the first.

Source: https://learn.microsoft.com/azure/azure-functions/flex-consumption-how-to#enable-virtual-network-integration
"""


class Unknown(Exception):
    """The file cannot be read, or `az` does not answer; the text says the next step."""


def main(arguments: Sequence[str]) -> int:
    """Check, print the faults, and return the exit status.

    Args:
        arguments: `--secrets` or nothing.
    """
    file = Path("bridge.env")
    try:
        text = text_of(file)
        given = read(text)
        values = {**os.environ, **given}
        wrong = [*of_the_lines(file, text), *of_the_file(file, given), *of_the_values(values)]
        wrong = wrong or list(of_the_app(values)) or list(of_azure(values))
        if "--secrets" in arguments and not wrong:
            wrong = list(of_secrets(values))
    except Unknown as error:
        wrong = [str(error)]
    for each in wrong:
        print(f"wrong  {each}")
    if not wrong:
        print(f"ok     {values['AZURE_ENV_NAME']} can be deployed to {values['AZURE_LOCATION']}")
    return 1 if wrong else 0


def text_of(file: Path, *, is_windows: bool = os.name == "nt") -> str:
    """Return the text of the file; empty where there is none and the environment has all required variables.

    Args:
        file: with a `NAME=value` on each line.
        is_windows: no shell reads it here, and the others accept the line ends of Windows.

    Raises:
        Unknown: it cannot be read, or its readers would read it differently.
    """
    try:
        raw = file.read_bytes()
    except FileNotFoundError:
        if all(os.environ.get(name, "").strip() for name in NEEDED):
            return ""
        raise Unknown(
            f"{file} is not in this folder: go to the folder of the environment, or make it by step 2 of "
            "docs/operations.md"
        ) from None
    except OSError as error:
        raise Unknown(f"{file} is no file that you may read ({error.strerror}): mend that") from None
    raw = raw.replace(b"\r\n", b"\n") if is_windows else raw
    text = raw.decode("utf-8", "replace")
    if any(sign in text for sign in "\0\ufeff\ufffd"):
        raise Unknown(f"{file} is not plain UTF-8: save it so, without a byte order mark")
    if "\r" in text:
        raise Unknown(
            f"{file} has the line ends of Windows, which become part of its values: save it with LF"
        )
    return text


def read(text: str) -> dict[str, str]:
    """Return the values of a text with a `NAME=value` on each line, as a shell would read them."""
    pairs = [line.partition("=") for line in text.split("\n") if _LINE.match(line)]
    return {name: "".join(_words(value)) for name, _, value in pairs}


_LINE = re.compile(r"[A-Z_]+=")
_VALUE = re.compile(r"""(?:'[^']*(?<!\\)'|"[^"$`\\]*"|[^\s'"$`\\;&|<>()~#]+)(?:[ \t]+#[^#]*)?[ \t]*|[ \t]*""")
r"""A value that a shell, PowerShell by the line of its page, azd and gh read alike.

The last two do not end a text at `\'`. They take a comment for the value where there is no other value, or
for a part of it where it has a second `#`.
Source: https://github.com/joho/godotenv/blob/v1.5.1/parser.go
"""


def _words(value: str) -> list[str]:
    try:
        return shlex.split(value, comments=True)
    except ValueError:  # a quote without an end
        return [value]


def of_the_lines(file: Path, text: str) -> Iterator[str]:
    """Name the lines that a shell, azd and the workflow would read differently, and the right form."""
    if text and not text.endswith("\n"):
        yield f"{file} ends within a line, so that what is added becomes part of it: end its last line"
    seen: set[str] = set()
    for number, line in enumerate(text.split("\n"), 1):
        name, _, value = line.partition("=")
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if not _LINE.match(line):
            yield f"line {number} of {file} is neither NAME=value from its first letter on nor a comment (#)"
        elif name in seen:
            yield f"{name} stands in {file} twice: take one of the lines out"
        elif not _VALUE.fullmatch(value):
            yield (
                f"{name} in {file} has blanks, quotes or signs of a shell: write {name}='...', with neither "
                "a ' inside nor a \\ at its end"
            )
        seen.add(name)


def of_the_file(file: Path, given: Mapping[str, str]) -> Iterator[str]:
    """Name the lines that no program reads, and the lines that must not be in the file."""
    known = deployed() - SECRETS | OF_TOOLS
    for name in given:
        if name in SECRETS:
            yield f"{name} stands in {file}: take it out; secrets are given by the terminal, once"
        elif name not in known:
            near = get_close_matches(name, sorted(known), n=1)
            hint = f"did you mean {near[0]}?" if near else "take the line out"
            yield f"{name} stands in {file}, and nothing reads it: {hint}"


def deployed() -> set[str]:
    """Return the names of the variables that the templates read."""
    source = (ROOT / "infra" / "main.bicepparam").read_text("utf-8")
    return {*re.findall(r"readEnvironmentVariable\('(\w+)'", source)}


def of_the_values(values: Mapping[str, str]) -> Iterator[str]:
    """Name the missing values, and the values that do not fit the channel."""
    for name in NEEDED:
        if not values.get(name, "").strip():
            yield f"{name} is not set: fill in its line in bridge.env"
        elif name in _FORMED and not _FORMED[name][0].fullmatch(values[name].strip()):
            yield f"{name} is not {_FORMED[name][1]}"
    number, secret = of_the_channel(values)
    if not values.get(number, "").strip():
        yield f"{number} is not set: Moveworks' studio shows it (or set MOVEWORKS_LISTENER_ID in its place)"
    named = re.findall(r"[A-Z_]+", values.get("SECRET_NAMES", ""))
    if named and secret not in named:
        yield f"SECRET_NAMES does not have {secret}, which goes with {number}: put it in the other's place"


def of_the_channel(values: Mapping[str, str]) -> tuple[str, str]:
    """Return the id and the secret of the channel: of the listener where there is one."""
    return OF_CHANNEL[1 if values.get(OF_CHANNEL[1][0], "").strip() else 0]


_FORMED = {
    "ALERT_EMAIL": (
        re.compile(r"[^\s@,;<>]+@[^\s@,;<>.]+(\.[^\s@,;<>.]+)+"),
        "one address such as ops@example.com",
    ),
    "AZURE_ENV_NAME": (re.compile("[A-Za-z0-9-]{1,32}"), "1 to 32 letters, digits and hyphens"),
}
"""The form of the required values that the app does not read, with the message about it."""


def of_the_app(values: Mapping[str, str]) -> Iterator[str]:
    """Name the values that the app itself would refuse at its start; a missing secret counts as right."""
    sys.path.insert(0, str(ROOT))
    try:
        from coupa_core.errors import SettingsError  # noqa: PLC0415 - this Python may lack its packages
        from coupa_core.settings import read_settings  # noqa: PLC0415
    except ImportError as error:
        print(f"note   {error} in this Python, so no value was looked at: the Python of step 2 does that")
        return
    given = {name: values[name] for name in deployed() if values.get(name, "").strip()}
    later = json.dumps({"later": f"{'A' * 43}="})
    secrets = {name: later if name.endswith("_KEYS") else "later" for name in of_the_vault(values)}
    fronted = str(bool(values.get("ENTRA_APP_CLIENT_ID", "").strip()))
    made = {"LEDGER_CONNECTION": "memory", "WEBSITE_AUTH_ENABLED": fronted}
    try:
        read_settings({**made, **secrets, **given})
    except SettingsError as error:
        yield from re.split(r"; (?=[A-Z_]+: )", str(error))


def of_the_vault(values: Mapping[str, str]) -> list[str]:
    """Return the names of the secrets that the app reads from the vault."""
    _, secret = of_the_channel(values)
    named = re.findall(r"[A-Z_]+", values.get("SECRET_NAMES", ""))
    return named or ["COUPA_CLIENT_SECRET", secret, "ACTION_TOKEN_KEYS"]


def of_azure(values: Mapping[str, str]) -> Iterator[str]:
    """Name the obstacles in Azure.

    Raises:
        Unknown: `az` is not installed, or nobody is logged in.
    """
    wanted, region = values["AZURE_SUBSCRIPTION_ID"], values["AZURE_LOCATION"].lower().replace(" ", "")
    subscription = ask("account", "show")
    if wanted not in (subscription.get("id"), subscription.get("name")):
        yield f"az uses the subscription {subscription.get('name')}: az account set --subscription {wanted}"
        return
    offered = [each["name"] for each in ask("functionapp", "list-flexconsumption-locations")]
    if region not in offered:
        near = ", ".join(get_close_matches(region, offered, n=3, cutoff=0.5) or offered)
        yield f"{region} does not offer Flex Consumption: set AZURE_LOCATION to another, such as {near}"
    known = {each["namespace"]: each["registrationState"] for each in ask("provider", "list")}
    is_private = values.get("ENABLE_NETWORK", "").strip().lower() == "true"
    for name in PROVIDERS + OF_NETWORK * is_private:
        if known.get(name) != "Registered":
            yield f"{name} is not registered: az provider register --namespace {name} --wait"
    for vault in ask("keyvault", "list-deleted", "--resource-type", "vault"):
        yield from deleted(vault, values)


def deleted(vault: Mapping[str, Any], values: Mapping[str, str]) -> Iterator[str]:
    """Say how to recover a vault of this environment that was deleted less than 90 days ago."""
    properties, group = vault["properties"], values["AZURE_RESOURCE_GROUP"]
    is_ours = (properties.get("tags") or {}).get("azd-env-name") == values["AZURE_ENV_NAME"]
    if is_ours and f"/resourcegroups/{group}/".lower() in properties["vaultId"].lower():
        yield (
            f"the vault {vault['name']} was deleted, and its name is kept until "
            f"{properties['scheduledPurgeDate'][:10]}. Bring it back with all that it holds: "
            f"az keyvault recover --name {vault['name']} --resource-group {group} "
            f"--location {properties['location']}. Or choose another AZURE_ENV_NAME"
        )


def of_secrets(values: Mapping[str, str]) -> Iterator[str]:
    """Name the secrets that the terminal lacks while no vault holds them.

    Raises:
        Unknown: `az` is not installed, or nobody is logged in.
    """
    ours = (values["AZURE_ENV_NAME"], values["AZURE_RESOURCE_GROUP"].lower())
    for vault in ask("keyvault", "list"):
        if ((vault.get("tags") or {}).get("azd-env-name"), vault["resourceGroup"].lower()) == ours:
            return
    missing = [name for name in of_the_vault(values) if not values.get(name, "").strip()]
    if missing:
        yield (
            f"this terminal does not have {', '.join(missing)}, and there is no vault yet that does: give "
            "them by step 4 of docs/operations.md, then try again"
        )


def ask(*words: str) -> Any:
    """Ask `az`.

    Raises:
        Unknown: it is not installed, or answers with an error or without JSON.
    """
    az = shutil.which("az")
    if az is None:
        raise Unknown("az is not here: install the Azure CLI, and open a new terminal")
    done = subprocess.run(  # noqa: S603 - the words are those of this file
        [az, *words, "--output", "json"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        line = (done.stderr.strip().splitlines() or ["it gave no reason"])[0]
        raise Unknown(f"az {' '.join(words)} failed: {line} (nobody is logged in? az login)")
    try:
        return json.loads(done.stdout)
    except ValueError:
        raise Unknown(f"az {' '.join(words)} gave no JSON: see what it prints by itself") from None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
