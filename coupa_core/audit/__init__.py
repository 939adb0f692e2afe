"""The audit record's command line, for operators and auditors: `python -m coupa_core.audit --help`.

It reads the record and never writes to it.
"""
