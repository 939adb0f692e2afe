"""The basis of the infrastructure's tests: a reader of Bicep, the rules, a small interpreter of Kusto."""
