"""A function app with the product's routes and handlers of its own, for the observation of a host."""
