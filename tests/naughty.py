"""Texts that programs have stumbled over: other scripts, other directions, other languages' syntax.

Each is written here for what it does to one kind of reader: a decoder, parser, shell, template, query.
None is an e-mail address, a decision or a token.
"""

from __future__ import annotations

NAUGHTY = [
    # Nothing, or what looks like nothing.
    "", " ", "\t", "\n", "\r\n", "\x00", "\x0b", "\x0c", "\x1b", "\x7f", "\x85", "\xa0", "\xad", "\u200b",
    "\u200d", "\u2028", "\u2029", "\u2060", "\u3000", "\u3164", "\ufeff", "\ufffe", "\uffff", "\U000e0001",
    "\U0010ffff", "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x0e\x0f",
    # What other languages call nothing, true, or a number.
    "null", "None", "nil", "undefined", "NaN", "Infinity", "-Infinity", "true", "False", "[object Object]",
    "0", "-0", "1", "-1", "1.0", "1e3", "1E+999999999", "0x10", "0b1", "0o7", "1_000", "1,000.00", "1/0",
    "9" * 40, "2147483648", "-9223372036854775809", "\u0661\u0662", "\uff11\uff12", "\u2460", "\u00b2",
    # Scripts, directions, marks on marks, cases that grow.
    "\u202eevil\u202c", "\u2066a\u2069", "\u05d0\u05d1 \u0627\u0644", "a\u0300\u0301\u0302\u0303" * 20,
    "\u65e5\u672c\u8a9e", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f1e9\U0001f1ea", "\u0130",
    "\u00df", "\ufb03", "\u1e9e", "\u212a", "\ufdfa", "\u0e01\u0e33", "\U0001d4d0",
    "Z\u0351\u0343\u0349algo", "caf\u00e9", "cafe\u0301", "\u2603\ufe0f", "\u0000\ufdd0",
    # Markup and scripts.
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "</title><svg/onload=alert(1)>",
    "javascript:alert(1)", "data:text/html,<b>x", "&lt;b&gt;", "&#x3c;b&#62;", "<![CDATA[x]]>", "<!--",
    "-->", '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    "<!channel>", "<@U012>",
    # Templates, expressions, formats.
    "{{7*7}}", "${7*7}", "#{7*7}", "<%= 7*7 %>", "{{meta_info.user.email_addr}}", "%s%s%s%n", "%x%x",
    "{0}{1}", "{actor_email}", "%(name)s", "${jndi:ldap://x}", "=1+1", "@SUM(1)", "+cmd|' /C calc'!A0",
    "$(id)", "`id`", "; ls -la", "| cat /etc/passwd", "&& reboot", "../../../../etc/passwd",
    "..\\..\\boot.ini", "file:///etc/passwd", "C:\\con\\con", "/dev/null", "CON", "\\\\server\\share",
    "~root", "%2e%2e%2f", "%00", "%0d%0aSet-Cookie: a=b", "\r\nX-Actor-Email: a",
    # Queries.
    "' OR '1'='1", '" OR ""="', "1; DROP TABLE approvals--", "') UNION SELECT 1--", "*)(uid=*))(|(uid=*",
    "' or 1 eq 1 or '", '{"$gt": ""}', "a' and PartitionKey eq 'open", "\\", "\\\\", '"', "'", '\\"',
    "\\u0000", "\\x00", "\\n",
    # JSON in a text, and what ends one.
    '","actor_email":"cfo', '"}', "]}", "{}", "[]", "{", '{"a":', "\\u202e", "\\ud800",
    # Addresses that are none.
    "@", "a@", "@a", "a@b@c", "a b@c", "a@b c", "<a@b>", "Ann <ann@example.com>", "a@b,c@d", "a@b;c@d",
    '"a b"@c', "a@[127.0.0.1]", "a\n@b", "mailto:a@b", "a@\u0440\u0443", "a(b)@c", "a\\@b", "a@b/c", "a@b?c",
    "a@b#c", "a@b:25",
    # Much.
    "A" * 9_000, "\u00e4" * 5_000, "\U0001f600" * 2_500, " " * 2_000 + "x", "a@" * 400, "." * 3_000,
]  # fmt: skip
