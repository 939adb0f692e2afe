#!/bin/sh
# pytest-xdist 3.8.0 refuses a suite, now and then and on its first run only, where a test is named after a constant set.
#
# CPython folds the set of a parameter's list into a frozenset. Written to a .pyc file and read again, it is built in
# another order where its members collide. A worker that compiled the file names the test one way, and a worker that
# read the .pyc of the first names it another way. Only when every worker reads the .pyc do the names agree. With
# PYTHONDONTWRITEBYTECODE set it never shows.
# Exit 0: as described. Exit 1: it has changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
unset PYTHONDONTWRITEBYTECODE PYTHONPYCACHEPREFIX
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check pytest==9.0.2 pytest-xdist==3.8.0
mkdir "$folder/suite"
cat > "$folder/suite/test_rows.py" <<'PYTHON'
import pytest


@pytest.mark.parametrize("rows", [{3, 50, 51, 99}], ids=str)
def test_rows(rows: set[int]) -> None:
    assert rows
PYTHON
cd "$folder/suite"
names() { "$folder/venv/bin/python" -m pytest --collect-only -q | grep ::; }
"$folder/venv/bin/python" --version
compiled=$(names)
read_again=$(names)
third=$(names)
echo "compiled:        $compiled"
echo "out of the .pyc: $read_again"
# Two workers, of which only one finds a .pyc: the first has it taken away, as where two start at the same moment.
cat > conftest.py <<'PYTHON'
import os
import sys

sys.dont_write_bytecode = True
if os.environ.get("PYTEST_XDIST_WORKER") == "gw0":
    sys.pycache_prefix = "nowhere"
PYTHON
"$folder/venv/bin/python" -m pytest -q -n 2 -p no:cacheprovider > "$folder/said" 2>&1 || true
grep "Different tests were collected" "$folder/said"
test "$compiled" != "$read_again" && test "$read_again" = "$third"
