#!/bin/sh
# Babel 2.19.0 writes a Swiss number without the apostrophes between its groups, in pairs.
#
# CLDR 48 has the ASCII apostrophe between the groups of de_CH, de_LI and en_CH. NumberPattern.apply takes out
# the quotes of a pattern after the number was put into it, and so takes the number's own for quotes.
# Exit 0: as described. Exit 1: it has changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check babel==2.19.0
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import babel
from babel import Locale
from babel.numbers import format_decimal, parse_decimal

group = Locale.parse("de_CH").number_symbols["latn"]["group"]
said = {number: format_decimal(number, locale="de_CH") for number in (1234, 1234567, 1234567890)}
print(f"Babel {babel.__version__}, group separator of de_CH: {group!r}")
for number, text in said.items():
    print(f"  {number} -> {text}   (expected {number:,})".replace(",", group))
print(f"  and 1'234'567 is read back as {parse_decimal(chr(39).join(('1', '234', '567')), locale='de_CH')}")
expected = {1234: "1'234", 1234567: "1234567", 1234567890: "1234567'890"}
sys.exit(said != expected)
PYTHON
