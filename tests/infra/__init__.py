"""What the infrastructure's tests stand on: a reader of Bicep, the rules, and a small interpreter of Kusto."""
