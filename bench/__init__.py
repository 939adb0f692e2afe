"""The cost of the bridge, measured on the simulators beside the method of Moveworks' guide."""
