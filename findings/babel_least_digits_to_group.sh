#!/bin/sh
# Babel 2.19.0 groups numbers of four digits in Spanish, Polish and European Portuguese, which CLDR does not.
#
# CLDR says for these locales minimumGroupingDigits 2: a number is grouped from five digits on, so 1800 has no
# separator. Babel does not read that value. ICU does, and so does Intl.NumberFormat of browsers and Node.js.
# Source: https://www.unicode.org/reports/tr35/tr35-numbers.html#Examples_of_minimumGroupingDigits
# Exit 0: as described. Exit 1: it has changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check babel==2.19.0
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import babel
from babel.numbers import format_decimal

said = {locale: format_decimal(1800, locale=locale) for locale in ("es", "pl", "pt_PT")}
print(f"Babel {babel.__version__}, the number 1800:")
for locale, text in said.items():
    print(f"  {locale} -> {text!r}   (expected '1800')")
sys.exit(said != {"es": "1.800", "pl": "1\xa0800", "pt_PT": "1\xa0800"})
PYTHON
if command -v node > /dev/null; then
  echo "For comparison, Node.js $(node --version):"
  node -e 'for (const each of ["es", "pl", "pt-PT"]) console.log(`  ${each} -> ${new Intl.NumberFormat(each).format(1800)}`)'
fi
