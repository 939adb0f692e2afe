#!/usr/bin/env python3
"""Check before a deployment whether it can succeed, and print the next step for each fault.

The values are those of a shell that has loaded `bridge.env`. The script calls `az`, and the app's own reader
of settings if this Python has its packages. It changes nothing, and shows no secret. With `--secrets` it also
checks the secrets of a first deployment. It needs only Python, so that azd can run it on any machine.
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
CHANNEL_SETTINGS = (
    ("MOVEWORKS_EVENT_ID", "MOVEWORKS_API_KEY"),
    ("MOVEWORKS_LISTENER_ID", "MOVEWORKS_LISTENER_SECRET"),
)
TOOL_SETTINGS = {"AZURE_RESOURCE_GROUP", "AZURE_SUBSCRIPTION_ID", "AZURE_FUNCTION_APP_NAME"}
"""Variables that only azd, az, func or the workflow reads."""

PROVIDERS = (
    "Microsoft.Insights",
    "Microsoft.KeyVault",
    "Microsoft.ManagedIdentity",
    "Microsoft.OperationalInsights",
    "Microsoft.Storage",
    "Microsoft.Web",
)
"""The resource providers of the templates."""

NETWORK_PROVIDERS = ("Microsoft.App", "Microsoft.Network")
"""Further providers for a virtual network; the app's subnet is delegated to the first.

Source: https://learn.microsoft.com/azure/azure-functions/flex-consumption-how-to#enable-virtual-network-integration
"""


class Unknown(Exception):
    """The file cannot be read, or `az` fails; the message has the next step."""


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
        wrong = [*line_faults(file, text), *name_faults(file, given), *value_faults(values)]
        wrong = wrong or list(app_faults(values)) or list(azure_faults(values))
        if "--secrets" in arguments and not wrong:
            wrong = list(secret_faults(values))
    except Unknown as error:
        wrong = [str(error)]
    for each in wrong:
        print(f"wrong  {each}")
    if not wrong:
        print(f"ok     {values['AZURE_ENV_NAME']} can be deployed to {values['AZURE_LOCATION']}")
    return 1 if wrong else 0


def text_of(file: Path, *, is_windows: bool = os.name == "nt") -> str:
    """Return the text of the file; empty without a file, if the environment has all required variables.

    Args:
        file: the file, with a `NAME=value` on each line.
        is_windows: accept Windows line ends, because no shell reads the file there.

    Raises:
        Unknown: the file cannot be read, or its readers would read it differently.
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
    """Parse a text with a `NAME=value` on each line, as a shell does."""
    pairs = [line.partition("=") for line in text.split("\n") if _LINE.match(line)]
    return {name: "".join(_words(value)) for name, _, value in pairs}


_LINE = re.compile(r"[A-Z_]+=")
_VALUE = re.compile(r"""(?:'[^']*(?<!\\)'|"[^"$`\\]*"|[^\s'"$`\\;&|<>()~#]+)(?:[ \t]+#[^#]*)?[ \t]*|[ \t]*""")
r"""A value that a shell, PowerShell with the command of its page, azd and gh parse alike.

The last two do not end a text at `\'`. They take a comment as the value if there is no other value, and as
a part of the value if it has a second `#`.
Source: https://github.com/joho/godotenv/blob/v1.5.1/parser.go
"""


def _words(value: str) -> list[str]:
    try:
        return shlex.split(value, comments=True)
    except ValueError:  # a quote without an end
        return [value]


def line_faults(file: Path, text: str) -> Iterator[str]:
    """Report lines that a shell, azd and the workflow would parse differently, with the right form."""
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


def name_faults(file: Path, given: Mapping[str, str]) -> Iterator[str]:
    """Report names that no program reads, and secrets, which must not be in the file."""
    known = deployed() - SECRETS | TOOL_SETTINGS
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


def value_faults(values: Mapping[str, str]) -> Iterator[str]:
    """Report missing and malformed values, and values that do not fit the channel."""
    for name in NEEDED:
        if not values.get(name, "").strip():
            yield f"{name} is not set: fill in its line in bridge.env"
        elif name in _FORMS and not _FORMS[name][0].fullmatch(values[name].strip()):
            yield f"{name} is not {_FORMS[name][1]}"
    number, secret = channel_settings(values)
    if not values.get(number, "").strip():
        yield f"{number} is not set: Moveworks' studio shows it (or set MOVEWORKS_LISTENER_ID in its place)"
    named = re.findall(r"[A-Z_]+", values.get("SECRET_NAMES", ""))
    if named and secret not in named:
        yield f"SECRET_NAMES does not have {secret}, which goes with {number}: put it in the other's place"


def channel_settings(values: Mapping[str, str]) -> tuple[str, str]:
    """Return the names of the channel's id and secret: the listener's if its id is set."""
    return CHANNEL_SETTINGS[1 if values.get(CHANNEL_SETTINGS[1][0], "").strip() else 0]


_FORMS = {
    "ALERT_EMAIL": (
        re.compile(r"[^\s@,;<>]+@[^\s@,;<>.]+(\.[^\s@,;<>.]+)+"),
        "one address such as ops@example.com",
    ),
    "AZURE_ENV_NAME": (re.compile("[A-Za-z0-9-]{1,32}"), "1 to 32 letters, digits and hyphens"),
}
"""The forms of required values that the app does not read, each with its description for the message."""


def app_faults(values: Mapping[str, str]) -> Iterator[str]:
    """Report values that the app would refuse at start-up; a missing secret is accepted."""
    sys.path.insert(0, str(ROOT))
    try:
        from coupa_core.errors import SettingsError  # noqa: PLC0415 - this Python may lack its packages
        from coupa_core.settings import read_settings  # noqa: PLC0415
    except ImportError as error:
        print(f"note   {error} in this Python, so no value was looked at: the Python of step 2 does that")
        return
    given = {name: values[name] for name in deployed() if values.get(name, "").strip()}
    later = json.dumps({"later": f"{'A' * 43}="})
    secrets = {name: later if name.endswith("_KEYS") else "later" for name in vault_secrets(values)}
    fronted = str(bool(values.get("ENTRA_APP_CLIENT_ID", "").strip()))
    made = {"LEDGER_CONNECTION": "memory", "WEBSITE_AUTH_ENABLED": fronted}
    try:
        read_settings({**made, **secrets, **given})
    except SettingsError as error:
        yield from re.split(r"; (?=[A-Z_]+: )", str(error))


def vault_secrets(values: Mapping[str, str]) -> list[str]:
    """Return the names of the secrets that the app reads from Key Vault."""
    _, secret = channel_settings(values)
    named = re.findall(r"[A-Z_]+", values.get("SECRET_NAMES", ""))
    return named or ["COUPA_CLIENT_SECRET", secret, "ACTION_TOKEN_KEYS"]


def azure_faults(values: Mapping[str, str]) -> Iterator[str]:
    """Report obstacles in Azure.

    Raises:
        Unknown: `az` is not installed, or nobody is logged in.
    """
    wanted, region = values["AZURE_SUBSCRIPTION_ID"], values["AZURE_LOCATION"].lower().replace(" ", "")
    subscription = az("account", "show")
    if wanted not in (subscription.get("id"), subscription.get("name")):
        yield f"az uses the subscription {subscription.get('name')}: az account set --subscription {wanted}"
        return
    offered = [each["name"] for each in az("functionapp", "list-flexconsumption-locations")]
    if region not in offered:
        near = ", ".join(get_close_matches(region, offered, n=3, cutoff=0.5) or offered)
        yield f"{region} does not offer Flex Consumption: set AZURE_LOCATION to another, such as {near}"
    known = {each["namespace"]: each["registrationState"] for each in az("provider", "list")}
    is_private = values.get("ENABLE_NETWORK", "").strip().lower() == "true"
    for name in PROVIDERS + NETWORK_PROVIDERS * is_private:
        if known.get(name) != "Registered":
            yield f"{name} is not registered: az provider register --namespace {name} --wait"
    for vault in az("keyvault", "list-deleted", "--resource-type", "vault"):
        yield from deleted_vault(vault, values)


def deleted_vault(vault: Mapping[str, Any], values: Mapping[str, str]) -> Iterator[str]:
    """Report a vault of this environment that was deleted less than 90 days ago, and how to recover it."""
    properties, group = vault["properties"], values["AZURE_RESOURCE_GROUP"]
    is_ours = (properties.get("tags") or {}).get("azd-env-name") == values["AZURE_ENV_NAME"]
    if is_ours and f"/resourcegroups/{group}/".lower() in properties["vaultId"].lower():
        yield (
            f"the vault {vault['name']} was deleted, and its name is kept until "
            f"{properties['scheduledPurgeDate'][:10]}. Bring it back with all that it holds: "
            f"az keyvault recover --name {vault['name']} --resource-group {group} "
            f"--location {properties['location']}. Or choose another AZURE_ENV_NAME"
        )


def secret_faults(values: Mapping[str, str]) -> Iterator[str]:
    """Report secrets that neither the terminal nor a vault has.

    Raises:
        Unknown: `az` is not installed, or nobody is logged in.
    """
    ours = (values["AZURE_ENV_NAME"], values["AZURE_RESOURCE_GROUP"].lower())
    for vault in az("keyvault", "list"):
        if ((vault.get("tags") or {}).get("azd-env-name"), vault["resourceGroup"].lower()) == ours:
            return
    missing = [name for name in vault_secrets(values) if not values.get(name, "").strip()]
    if missing:
        yield (
            f"this terminal does not have {', '.join(missing)}, and there is no vault yet that does: give "
            "them by step 4 of docs/operations.md, then try again"
        )


def az(*words: str) -> Any:
    """Run `az`, and return its JSON.

    Raises:
        Unknown: it is not installed, or ends with an error or without JSON.
    """
    program = shutil.which("az")
    if program is None:
        raise Unknown("az is not here: install the Azure CLI, and open a new terminal")
    done = subprocess.run(  # noqa: S603 - the words are those of this file
        [program, *words, "--output", "json"], capture_output=True, text=True, check=False
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
