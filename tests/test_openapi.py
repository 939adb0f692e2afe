"""openapi.yaml is valid, and describes the code's behaviour on every route."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Self

import pytest
from azure.functions import AuthLevel
from azure.functions.decorators.function_app import Function
from bridge import World
from description import FILE, codes, description, examples, followed, operations
from openapi_schema_validator import OAS30Validator
from openapi_spec_validator import OpenAPIV2SpecValidator, OpenAPIV30SpecValidator
from packages import said
from swagger import swagger

from coupa_core import __version__, decide, ledger
from coupa_core.decide.answers import LED
from coupa_core.endpoints.bodies import (
    ClickBody,
    DecisionBody,
    MessageBody,
    MuteBody,
    RepeatBody,
    SeveralBody,
)
from coupa_core.notice.catalogue import texts
from coupa_core.report import Cause
from coupa_core.report.trace import _PRIVATE

CORE = Path(decide.__file__).parents[1]
JAMIE = "jamie@example.com"
NAMING = {"idempotency-key", "traceparent", "x-request-id"}
"""Headers that name a request, on every route; described where they are of use."""

ALL = sorted(operations())

BODIES = (ClickBody, DecisionBody, SeveralBody, MessageBody, MuteBody, RepeatBody)

CROWD = description()["components"]["responses"]["Crowd"]

EXPLAINED = {
    ("Redocly", "no-server-example.com", "#/servers/1/url"),  # the sandbox is there
    ("Spectral", "info-contact", "info"),  # each organisation runs its own
}
"""What well-known checks have against the description, and why it stays."""


def registered(functions: list[Function]) -> dict[str, dict[str, Any]]:
    """Return the HTTP triggers of the app, by name."""
    triggers = {str(each.get_function_name()): each.get_trigger() for each in functions}
    return {
        name: trigger.get_dict_repr()
        for name, trigger in triggers.items()
        if trigger is not None and trigger.type == "httpTrigger"
    }


def parts(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every mapping in the file."""
    if isinstance(value, dict):
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from parts(each)


def test_the_file_is_valid_openapi_3_0() -> None:
    assert description()["openapi"] == "3.0.3"
    assert list(OpenAPIV30SpecValidator(description()).iter_errors()) == []


def strict(schema: Any) -> Any:
    """Return a schema under which an object has no field that is not described."""
    if isinstance(schema, list):
        return [strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: strict(each) for name, each in schema.items()}
    return {"additionalProperties": False} | closed if "properties" in schema else closed


@pytest.mark.slow
@pytest.mark.slow
def test_redocly_and_spectral_warn_of_nothing_that_is_not_explained(tmp_path: Path) -> None:
    """Nor of what Power Automate gets; Redocly also holds the examples against their schemas."""
    converted = tmp_path / "swagger.json"
    converted.write_text(json.dumps(swagger(description(), "acme.azurewebsites.net")), "utf-8")

    ours, theirs = said("lint.js", [str(FILE), str(converted)])

    assert {(each["tool"], each["rule"], each["at"]) for each in ours} == EXPLAINED
    assert [each for each in theirs if (each["tool"], each["rule"], each["at"]) not in EXPLAINED] == []


def test_importers_meet_nothing_that_they_stumble_over() -> None:
    """Both Postman and Power Automate name actions by id and summary, and neither copes with alternatives."""
    ids = [
        operation["operationId"] for item in description()["paths"].values() for operation in item.values()
    ]

    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z_]+", each) for each in ids)
    for operation in operations().values():
        assert 0 < len(operation["summary"]) <= 80
        assert operation["tags"]
    for part in parts(description()):
        assert part.keys().isdisjoint({"oneOf", "anyOf", "allOf", "not", "const", "webhooks"})
        assert not isinstance(part.get("type"), list)


def test_every_registered_function_is_described_by_its_name_method_and_route(
    functions: list[Function],
) -> None:
    described = {name: (each["method"], each["path"]) for name, each in operations().items()}

    assert described == {
        name: (method.value, f"/{trigger['route']}")
        for name, trigger in registered(functions).items()
        for method in trigger["methods"]
    }


def test_every_operation_asks_for_the_key_that_its_function_asks_for(functions: list[Function]) -> None:
    schemes = description()["components"]["securitySchemes"]
    places = [
        (schemes[name]["in"], schemes[name]["name"]) for each in description()["security"] for name in each
    ]

    assert places == [("header", "x-functions-key"), ("query", "code")]
    for name, trigger in registered(functions).items():
        asks = operations()[name].get("security", description()["security"]) != []
        assert asks is (trigger["authLevel"] != AuthLevel.ANONYMOUS)
        assert asks is ("401" in operations()[name]["responses"])


class Asked(Mapping[str, str]):
    """What a request carries, and which names the code asked it for."""

    def __init__(self, **given: str) -> None:
        self._given = given
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.names.add(name)
        return self._given[name]

    def __iter__(self) -> Iterator[str]:
        yield _Compared(self.names)
        yield from self._given

    def __len__(self) -> int:
        return len(self._given) + 1

    def items(self) -> Any:
        return [(name, self._given.get(name, "")) for name in self]


class _Compared(str):
    """A header name that is none, and notes what it is compared with."""

    __slots__ = ("_names",)
    _names: set[str]

    def __new__(cls, names: set[str]) -> Self:
        made = super().__new__(cls, "")
        made._names = names
        return made

    def lower(self) -> str:
        return self

    def __eq__(self, other: object) -> bool:
        self._names.add(str(other))
        return False

    __hash__ = str.__hash__


@pytest.mark.parametrize("name", ALL)
def test_the_parameters_are_those_that_the_code_reads(name: str) -> None:
    headers, query = Asked(), Asked(user_email=JAMIE)

    World().call(name, headers=headers, query=query, route={"approval_id": "7"}, **_body(name))

    described = operations()[name].get("parameters", [])
    in_path = {each["name"] for each in described if each["in"] == "path"}
    in_header = {each["name"].lower() for each in described if each["in"] == "header"}
    in_query = {each["name"] for each in described if each["in"] == "query"}
    of_the_body = {"content-type", "content-encoding", "transfer-encoding"}
    of_app_service = {"x-ms-client-principal"}
    assert in_path == set(re.findall(r"{(\w+)}", operations()[name]["path"]))
    assert in_header - NAMING == headers.names - NAMING - of_the_body - of_app_service
    assert in_query == query.names


def _body(name: str) -> dict[str, Any]:
    bodies: dict[str, Any] = {
        "decision": {"decision": "approve"},
        "decide": {"decision": "approve", "items": [{"id": "7"}]},
        "comment": {"comment": "why?"},
    }
    return {"json": bodies[name]} if name in bodies else {}


@pytest.mark.parametrize("name", [name for name in ALL if operations()[name]["method"] == "POST"])
def test_the_fields_of_a_body_are_those_that_the_code_takes(name: str) -> None:
    body = operations()[name]["requestBody"]["content"]["application/json"]["schema"]
    reply = World().call(name, route={"approval_id": "7"}, json={"no such field": 1})

    assert body["additionalProperties"] is False
    if reply.body["error"] == "relay_off":
        assert set(body["properties"]) == {"message", "recipients", "html"}
    else:
        assert reply.body["message"] == f"The body may hold {', '.join(sorted(body['properties']))} only."


def test_every_example_fits_its_schema() -> None:
    seen = 0
    for operation in operations().values():
        for each in [operation.get("requestBody", {}), *operation["responses"].values()]:
            for media in each.get("content", {}).values():
                shown = list(examples(media))
                assert shown
                for example in shown:
                    OAS30Validator(media["schema"]).validate(example)
                    seen += 1
        for parameter in operation.get("parameters", []):
            OAS30Validator(parameter["schema"]).validate(parameter["example"])
    assert seen > 50


def test_every_outcome_is_described_with_its_sentence() -> None:
    shown: dict[str, set[str]] = defaultdict(set)
    for operation in operations().values():
        for example in examples(operation["responses"]["200"]["content"]["application/json"]):
            if "outcome" in example:
                shown[example["outcome"]].add(example["message"])
    enum = description()["components"]["schemas"]["Decision"]["properties"]["outcome"]["enum"]

    assert set(shown) == set(enum)
    assert {each.value for each in decide.Outcome} == set(enum)
    for outcome in set(decide.Outcome) - {decide.Outcome.STEP_UP, decide.Outcome.ALREADY_DECIDED}:
        parts = re.split(r"\{\w+\}", str(texts("en")[f"answer.{outcome}"]))
        sentence = ("Purchase request .+: " if outcome in LED else "") + ".+".join(map(re.escape, parts))
        assert any(re.fullmatch(sentence, said) for said in shown[outcome.value]), outcome


def test_every_cause_of_red_health_is_described() -> None:
    cause = description()["components"]["schemas"]["Health"]["properties"]["cause"]

    assert cause["enum"] == [each.value for each in Cause]
    assert [each for each in Cause if f"`{each}`" not in cause["description"]] == []


def test_every_error_of_a_caller_is_described_with_its_sentence() -> None:
    components = [*CORE.glob("*.py")]
    for component in ("decide", "endpoints", "report"):
        components += (CORE / component).glob("*.py")
    source = "".join(component.read_text("utf-8") for component in components)
    raised = set(re.findall(r'(?:CallerError|RefusedValue)\(\s*"(\w+)"', source))
    sentences = set(re.findall(r'(?:CallerError|RefusedValue)\(\s*"(\w+)", "([^"]+)"', source))
    for model in BODIES:
        raised |= {code for code, _ in model.faults.values()}
        sentences |= set(model.faults.values())
    shown = {
        (example["error"], re.sub("^Purchase request .+?: ", "", example["message"]))
        for operation in operations().values()
        for status, answer in operation["responses"].items()
        if status.startswith("4")
        for media in answer.get("content", {}).values()
        for example in examples(media)
    }

    assert {code for code, _ in shown} == raised
    assert sentences <= shown


def test_every_operation_says_that_the_host_may_be_full() -> None:
    """It answers so before any function is asked, without a body."""
    responses = {name: operation["responses"]["429"] for name, operation in operations().items()}

    assert [name for name, answer in responses.items() if answer != CROWD] == ["notifications"]
    assert "Without a body, more requests come at once" in responses["notifications"]["description"]
    assert CROWD.keys() == {"description"}


@pytest.mark.parametrize("name", ALL)
def test_every_error_has_the_same_three_members(name: str) -> None:
    schema = description()["components"]["schemas"]["Error"]

    assert set(schema["required"]) == set(schema["properties"]) == {"error", "message", "request_id"}
    for status, answer in operations()[name]["responses"].items():
        if status >= "400" and status != "401" and name != "health" and answer != CROWD:
            assert codes(name, int(status))
            assert answer["content"]["application/json"]["schema"]["required"] == schema["required"]


def test_the_version_is_that_of_the_package() -> None:
    project = tomllib.loads((CORE.parent / "pyproject.toml").read_text("utf-8"))["project"]

    assert description()["info"]["version"] == project["version"] == __version__


def test_what_an_operator_is_answered_fits_the_description() -> None:
    world = World()
    world.requisition(JAMIE)
    [card] = world.announced()
    route, headers = {"approval_id": card.slots["approval_id"]}, {"X-Actor-Email": "ops@example.com"}
    answers = {
        "resend": world.call("resend", headers=headers, route=route),
        "mute": world.call("mute", headers=headers, route=route, json={"hours": 8}),
        "resend_all": world.call("resend_all", headers={**headers, "Idempotency-Key": "once"}),
        "status": world.call("status", query={"full": "1"}),
    }

    for name, reply in answers.items():
        assert reply.status == 200
        schema = operations()[name]["responses"]["200"]["content"]["application/json"]["schema"]
        OAS30Validator(strict(schema)).validate(reply.body)


def test_what_the_bridge_answers_fits_the_description() -> None:
    world = World()
    world.requisition(JAMIE, "robin@example.com")
    [card] = world.announced()
    route = {"approval_id": card.slots["approval_id"]}
    actor = {"X-Actor-Email": JAMIE}
    answers = {
        "list_approvals": world.call("list_approvals", headers=actor),
        "get_approval": world.call("get_approval", headers=actor, route=route),
        "reject": world.click(card, JAMIE, "reject"),
        "approve": world.click(card, JAMIE, "approve"),
        "trace": world.call("trace", route=route, query={"live": "1"}),
        "status": world.call("status"),
        "cycle_times": world.call("cycle_times"),
        "health": world.call("health"),
    }

    [again] = answers["list_approvals"].body["approvals"]
    item = {"id": again["approval_id"], "token": again["action_token"]}
    several = {"decision": "approve", "items": [item, {"id": "7"}]}
    answers["decide"] = world.call("decide", headers=actor, json=several)
    for name, reply in answers.items():
        assert reply.status == 200
        schema = operations()[name]["responses"]["200"]["content"]["application/json"]["schema"]
        OAS30Validator(strict(schema)).validate(json.loads(reply.text()))


def test_a_trace_describes_all_of_a_row_that_is_not_private() -> None:
    row = followed(description()["components"]["schemas"]["Row"])["properties"]

    assert set(row) == {each.name for each in fields(ledger.Entry)} - set(_PRIVATE) | {"told"}
    assert set(row["told"]["additionalProperties"]["properties"]) == {
        each.name for each in fields(ledger.PersonState) if each.name != "figures"
    }
    assert set(row["questions"]["additionalProperties"]["properties"]) == {
        each.name for each in fields(ledger.OpenQuestion)
    }


@pytest.mark.slow
def test_power_automate_takes_what_the_script_makes_of_the_file() -> None:
    """Custom connectors import OpenAPI 2.0 only, the top security definition, and less than 1 MB."""
    made = subprocess.run(
        [sys.executable, "scripts/swagger.py", "acme.azurewebsites.net"],
        cwd=FILE.parent,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    ).stdout
    converted = json.loads(made)
    found = {
        each["operationId"]: (method.upper(), path)
        for path, item in converted["paths"].items()
        for method, each in item.items()
    }

    assert list(OpenAPIV2SpecValidator(converted).iter_errors()) == []
    assert len(made.encode()) < 1_000_000
    assert (converted["host"], converted["basePath"]) == ("acme.azurewebsites.net", "/api")
    assert next(iter(converted["securityDefinitions"].values()))["in"] == "header"
    assert found == {name: (each["method"], each["path"]) for name, each in operations().items()}
    assert not any("$ref" in part or "nullable" in part for part in parts(converted))


def shown(operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what the connector of Power Automate asks a person for, by the name that the bridge reads."""
    for parameter in operation["parameters"]:
        yield parameter["name"], parameter
        for part in parts(parameter.get("schema", {})):
            yield from part.get("properties", {}).items()


def test_power_automate_shows_names_for_people_and_each_thing_in_one_place() -> None:
    """A parameter without `x-ms-summary` is shown by its bare name; an advanced one is folded away."""
    meant = {"who acts": 0, "action token": 0, "reason": 0, "question": 0}
    for item in swagger(description(), "acme.azurewebsites.net")["paths"].values():
        for operation in item.values():
            named = list(shown(operation))
            names = [field["x-ms-summary"] for _, field in named]
            assert all(
                name[0].isupper() and name != read for name, (read, _) in zip(names, named, strict=True)
            )
            assert len(set(names)) == len(names)
            plain = [
                name.lower()
                for name, (_, field) in zip(names, named, strict=True)
                if field.get("x-ms-visibility") != "advanced"
            ]
            assert not any("(" in name for name in plain)
            for name in meant:
                meant[name] += name in plain

    assert meant == {"who acts": 13, "action token": 6, "reason": 5, "question": 1}


def test_power_automate_is_told_what_each_body_may_hold_and_each_form_of_an_answer() -> None:
    converted = swagger(description(), "acme.azurewebsites.net")
    found = {each["operationId"]: each for item in converted["paths"].values() for each in item.values()}

    for name, operation in operations().items():
        bodies = [each for each in found[name]["parameters"] if each["in"] == "body"]
        asked = [operation["requestBody"]["description"]] if "requestBody" in operation else []
        assert [each["description"] for each in bodies] == asked
        media = {each for answer in operation["responses"].values() for each in answer.get("content", {})}
        assert set(found[name].get("produces", converted["produces"])) == media
