#!/bin/sh
# azure-functions 1.26.0 and 2.3.0 return the functions of an app once: a second get_functions() is an error.
#
# FunctionApp.get_functions() notes each name that it has seen, and keeps the notes for the next call. So a tool or a
# test that lists the functions of an app whose functions were listed before gets a ValueError, which asks for a unique
# name although every name is unique.
# Exit 0: as described. Exit 1: it has changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
  "azure-functions==1.26.0; python_version < '3.13'" "azure-functions==2.3.0; python_version >= '3.13'"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

import azure.functions as func

app = func.FunctionApp()


@app.route("health")
def health(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("ok")


said = []
for _ in range(2):
    try:
        said.append(str([each.get_function_name() for each in app.get_functions()]))
    except ValueError as error:
        said.append(f"ValueError: {error}")
print(f"azure-functions {version('azure-functions')}, one app with one function, get_functions() twice:")
for number, text in enumerate(said, 1):
    print(f"  {number}. {text}")
sys.exit(not (said[0] == "['health']" and said[1].startswith("ValueError: Function health does not have a unique")))
PYTHON
