"""A function app with the product's routes and handlers of its own, for watching a host."""
