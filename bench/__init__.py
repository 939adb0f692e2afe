"""What the bridge costs, measured on the simulators beside the manner of Moveworks' guide."""
