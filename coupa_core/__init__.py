"""The bridge between Coupa's approvals and the people who must give them, without any of Azure's triggers."""

__version__ = "0.2.0"
"""As in pyproject.toml, which is not deployed, and in openapi.yaml."""
