"""The product's app with one more function, which never ends.

All is imported and built before a function runs: only the hanging function may take longer than
`functionTimeout`.
"""

import runpy
import threading
from pathlib import Path

import azure.functions as func

import coupa_core
from coupa_core import app as bridge

ROOT = Path(coupa_core.__file__).parents[1]
bridge._bridge()
app: func.FunctionApp = runpy.run_path(str(ROOT / "function_app.py"))["app"]


@app.route("hang", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
def hang(req: func.HttpRequest) -> func.HttpResponse:
    threading.Event().wait()
    return func.HttpResponse("")
