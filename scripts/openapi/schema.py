"""Convert pydantic's models to schemas of OpenAPI 3.0, which is older than pydantic's JSON Schema."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, Field
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

IN_COMPONENTS = "#/components/schemas/"


class Answer(BaseModel):
    """The base of the JSON objects in the bridge's answers."""


def left_out(description: str = "", **more: Any) -> Any:
    """Return a field that is left out if its value is unknown."""
    return Field(default=None, description=description or None, **more)


class _Generator(GenerateJsonSchema):
    """Generates schemas without the type null, which OpenAPI 3.0 lacks, and without generated titles."""

    def nullable_schema(self, schema: Any) -> JsonSchemaValue:
        """Return a schema that allows null by OpenAPI's `nullable`."""
        return self.generate_inner(schema["schema"]) | {"nullable": True}

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - pydantic calls it so
        """Return False: no field has a title."""
        return False


def schemas(models: Iterable[type[BaseModel]]) -> dict[str, Any]:
    """Return the schemas of models, and of the models in them, by their names.

    OpenAPI 3.0 allows nothing beside a reference, so a field with a description of its own has the schema of
    its model inline.
    """
    made: dict[str, Any] = {}
    for model in models:
        schema = model.model_json_schema(
            schema_generator=_Generator, ref_template=f"{IN_COMPONENTS}{{model}}"
        )
        made |= schema.pop("$defs", {}) | {model.__name__: schema}
    named = _Named(made)
    for model in models:
        named.add(model.__name__)
    return named.schemas


class _Named:
    """The named schemas that the schemas of routes need."""

    def __init__(self, made: dict[str, Any]) -> None:
        self._made = made
        self.schemas: dict[str, Any] = {}

    def add(self, name: str) -> None:
        """Add a schema, and the schemas that it refers to."""
        if name not in self.schemas:
            self.schemas[name] = {}
            self.schemas[name] = self._placed(_plain(self._made[name]))

    def _placed(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._placed(each) for each in value]
        if not isinstance(value, dict):
            return value
        if "$ref" not in value:
            return {name: self._placed(each) for name, each in value.items()}
        target = value["$ref"].removeprefix(IN_COMPONENTS)
        if len(value) == 1:
            self.add(target)
            return value
        beside = {name: each for name, each in value.items() if name != "$ref"}
        return self._placed(_plain(self._made[target])) | beside


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an object without the docstring."""
    kept = {name: each for name, each in schema.items() if name not in ("title", "description")}
    return kept | {"properties": {name: _field(each) for name, each in schema["properties"].items()}}


def _field(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a field without an empty default, and without a length for a choice."""
    left_out = {"default"} if schema.get("default") in (None, "", []) else set()
    left_out |= {"maxLength"} if "enum" in schema else set()
    return {name: each for name, each in schema.items() if name not in left_out}
