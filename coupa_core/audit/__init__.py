"""The command line of the audit log, for operators and auditors: `python -m coupa_core.audit --help`.

It reads the audit log and never writes to it.
"""
