"""A simulated Coupa, a simulated Moveworks and a local Functions host; never deployed.

Nothing here imports coupa_core: otherwise a misspelt field would be wrong on both sides, and no test would
see it.
"""
