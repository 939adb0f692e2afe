"""The proofs that nothing is lost: the real use cases on the simulators, every I/O step under control.

`seam` is where faults happen, `rig` a whole bridge behind it, `audit` counts what was owed and what came.
"""
