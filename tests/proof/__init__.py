"""The proofs that nothing is lost: the real use cases on the simulators, every I/O step under control.

`seam` is the place of the faults, `rig` is a whole bridge behind it, `audit` counts the owed and the sent
messages.
"""
