"""Pydantic's models as schemas of OpenAPI 3.0, which is older than the JSON Schema that pydantic writes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, Field
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

IN_COMPONENTS = "#/components/schemas/"


class Answer(BaseModel):
    """An object that the bridge answers."""


def left_out(description: str = "", **more: Any) -> Any:
    """Return a field that is left out where nothing is known."""
    return Field(default=None, description=description or None, **more)


class _Generator(GenerateJsonSchema):
    """OpenAPI 3.0 has no type null, and titles made of names say nothing."""

    def nullable_schema(self, schema: Any) -> JsonSchemaValue:
        """Return a schema that lets null pass in OpenAPI's own manner."""
        return self.generate_inner(schema["schema"]) | {"nullable": True}

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - pydantic calls it so
        """Return that no field has a title."""
        return False


def schemas(models: Iterable[type[BaseModel]]) -> dict[str, Any]:
    """Return the schemas of models, and of the models in them, by their names.

    OpenAPI 3.0 lets nothing stand beside a reference, so that a model that a field describes stands in
    its place.
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
    """The schemas that have a name, found from those that a route names."""

    def __init__(self, made: dict[str, Any]) -> None:
        self._made = made
        self.schemas: dict[str, Any] = {}

    def add(self, name: str) -> None:
        """Add a schema, and those that it names."""
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
    """Return the schema of an object without what is for readers of the code."""
    kept = {name: each for name, each in schema.items() if name not in ("title", "description")}
    return kept | {"properties": {name: _field(each) for name, each in schema["properties"].items()}}


def _field(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a field: a default that stands for nothing is none, a choice has no length."""
    left_out = {"default"} if schema.get("default") in (None, "", []) else set()
    left_out |= {"maxLength"} if "enum" in schema else set()
    return {name: each for name, each in schema.items() if name not in left_out}
