"""The answers of Microsoft's Functions host, row by row, and the check of the local host or a real one.

`rows` has the form of a row, `wire` sends it, `hosts` starts the host, `play` plays the rows on it.
The rows are in `keys`, `routing`, `sizes`, `admin`, `faults` and `crowds`.
`PYTHONPATH=tests python -m host_table` is `make check-host`.

Source of each row: version 4.1037.0 of the host, under its Python worker 4.34, observed on 2026-11-28.
Source of the edges that this leaves open: the tests of the limits of Kestrel, the server below it,
https://github.com/dotnet/aspnetcore, read 2026-11.
"""
