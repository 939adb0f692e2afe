"""A simulated Coupa, a simulated Moveworks and a local Functions host; never deployed.

Nothing here imports coupa_core: a field misspelt on both sides would pass.
"""
