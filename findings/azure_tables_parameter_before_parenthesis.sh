#!/bin/sh
# azure-data-tables 12.7.0 looks for a parameter named "one)" where a filter has (A eq @one).
#
# query_entities cuts the filter at spaces only, and takes all of a word that begins with "@" for the name. So a
# parameter at the end of a group in parentheses is a KeyError, before anything is sent; with a space before the
# parenthesis it is found. The documentation shows parameters, and OData filters with parentheses, never both.
# Exit 0: as described. Exit 1: it has changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check azure-data-tables==12.7.0
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import azure.data.tables
from azure.core.credentials import AzureNamedKeyCredential
from azure.data.tables import TableClient

key = AzureNamedKeyCredential("account", "bm90aGluZyBpcyBzZW50")
client = TableClient("https://account.table.core.windows.net", "people", credential=key)
said = {}
for where in ("(Name eq @one or Name eq @two)", "( Name eq @one or Name eq @two )"):
    try:
        client.query_entities(where, parameters={"one": "Ann", "two": "Bob"})
        said[where] = "taken"
    except KeyError as error:
        said[where] = f"KeyError: {error}"
print(f"azure-data-tables {azure.data.tables.__version__}")
for where, what in said.items():
    print(f"  {where}  ->  {what}")
sys.exit(list(said.values()) != ["KeyError: 'two)'", "taken"])
PYTHON
