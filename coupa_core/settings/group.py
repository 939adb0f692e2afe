"""The base class of all groups of settings."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Group(BaseModel):
    """A group of settings; the name of a variable is the name of its field in upper case."""

    model_config = ConfigDict(
        alias_generator=str.upper,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        validate_default=True,
    )
