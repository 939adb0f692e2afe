"""What the infrastructure's tests stand on: a reader of Bicep, the rules, a small interpreter of Kusto."""
