"""What Microsoft's Functions host answers, row by row, and a stand-in or a real host held against it.

`rows` says what a row is, `wire` sends it, `hosts` starts what is asked, `play` plays the rows there.
The rows stand in `keys`, `routing`, `sizes`, `admin`, `faults` and `crowds`.
`PYTHONPATH=tests python -m host_table` is `make check-host`.

Source of each row: version 4.1037.0 of the host, under its Python worker 4.34, watched on 2026-11-28.
Where that leaves an edge open, the tests of the limits of Kestrel, the server below it, say it:
https://github.com/dotnet/aspnetcore, read 2026-11.
"""
