"""The ledger's rows in Azure Table Storage; `ledger` has the rules.

`store` calls the table, `rows` converts between a row and an `Entry`, `columns` has the columns that follow
from the fields of `Entry`, `people` those about people, and `values` reads and writes single values.
"""

from coupa_core.table_ledger.rows import SCHEMA, write_row
from coupa_core.table_ledger.store import ASIDE, CLOSED, OPEN, STATUS, TableStore

__all__ = ["ASIDE", "CLOSED", "OPEN", "SCHEMA", "STATUS", "TableStore", "write_row"]
