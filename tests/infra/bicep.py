"""Bicep files as syntax trees: what a template declares, uses, and hands to its modules.

It knows no type of Azure and evaluates nothing; the rules are in `rules`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import tree_sitter_bicep
from tree_sitter import Language, Node, Parser

_PARSER = Parser(Language(tree_sitter_bicep.language()))
_KINDS = {
    "parameter_declaration": "parameters",
    "variable_declaration": "variables",
    "resource_declaration": "resources",
    "module_declaration": "modules",
    "output_declaration": "outputs",
}


def text(node: Node) -> str:
    """Return the source of a node."""
    return (node.text or b"").decode()


def literal(node: Node | None) -> str | None:
    """Return the value of a string without interpolation, or the source of a boolean or number; else None."""
    if node is None:
        return None
    if node.type in ("boolean", "number"):
        return text(node)
    if node.type != "string" or any(child.type == "interpolation" for child in node.named_children):
        return None
    return "".join(text(child) for child in node.named_children)


def walk(node: Node) -> Iterator[Node]:
    """Yield a node and all that are below it."""
    yield node
    for child in node.named_children:
        yield from walk(child)


def pairs(node: Node | None) -> dict[str, Node]:
    """Return the properties of an object; of a loop or a condition, those of the object inside."""
    found: dict[str, Node] = {}
    for child in body(node).named_children if node else []:
        if child.type == "object_property":
            key, value = child.named_children[0], child.named_children[-1]
            found[literal(key) or text(key)] = value
    return found


def at(node: Node | None, *path: str) -> Node | None:
    """Return what lies at a path of property names, or None."""
    for name in path:
        node = pairs(node).get(name)
    return node


def body(node: Node) -> Node:
    """Return the object inside a loop or a condition."""
    while node.type in ("for_statement", "if_statement"):
        node = node.named_children[-1]
    return node


def names_in(node: Node) -> Iterator[tuple[str, Node]]:
    """Yield the names that an expression uses, without keys of objects, functions and names of its loops."""
    yield from _names_in(node, frozenset())


def _names_in(node: Node, local: frozenset[str]) -> Iterator[tuple[str, Node]]:
    children = node.named_children
    if node.type == "identifier":
        if text(node) not in local:
            yield text(node), node
        return
    if node.type == "object_property" and children[0].type == "identifier":
        children = children[1:]
    if node.type == "call_expression" and children[0].type == "identifier":
        children = children[1:]
    if node.type == "for_statement":
        initializer = node.child_by_field_name("initializer")
        assert initializer is not None
        children = [child for child in children if child != initializer]
        local |= {text(each) for each in walk(initializer) if each.type == "identifier"}
    for child in children:
        yield from _names_in(child, local)


def functions_in(node: Node) -> set[str]:
    """Return the functions that an expression calls, methods of resources too."""
    called = set()
    for each in walk(node):
        if each.type == "call_expression":
            function = each.named_children[0]
            called.add(
                text(function.named_children[-1] if function.type == "member_expression" else function)
            )
    return called


@dataclass(frozen=True)
class Declaration:
    """One parameter, variable, resource, module or output.

    Attributes:
        kind: such as `parameters`.
        name: symbolic.
        node: the whole declaration.
        decorators: by name, with their first argument.
    """

    kind: str
    name: str
    node: Node
    decorators: dict[str, str] = field(default_factory=dict)

    @property
    def value(self) -> Node | None:
        """Return the default, value or body."""
        is_given = any(child.type == "=" for child in self.node.children)
        return self.node.named_children[-1] if is_given else None

    @property
    def of(self) -> str:
        """Return the type of a resource without its version, or the path of a module."""
        return (literal(self.node.named_children[1]) or "").partition("@")[0]

    @property
    def is_existing(self) -> bool:
        """Tell whether a resource is only referred to."""
        return any(child.type == "existing" for child in self.node.children)

    @property
    def is_secure(self) -> bool:
        """Tell whether a parameter is kept out of logs and histories."""
        return "secure" in self.decorators


class Template:
    """One Bicep file.

    Raises:
        ValueError: it cannot be parsed; names the line.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.source = path.read_text("utf-8")
        self.root = _PARSER.parse(self.source.encode()).root_node
        if self.root.has_error:
            wrong = next(node for node in _all(self.root) if node.type == "ERROR" or node.is_missing)
            raise ValueError(f"{path.name}:{wrong.start_point.row + 1}: cannot be parsed")

    @cached_property
    def declarations(self) -> list[Declaration]:
        """Return what is declared, in order."""
        found, decorators = [], {}
        for node in self.root.named_children:
            if node.type == "decorators":
                decorators = dict(_decorator(each) for each in node.named_children)
            elif node.type in _KINDS:
                name = text(node.named_children[0])
                found.append(Declaration(_KINDS[node.type], name, node, decorators))
                decorators = {}
        return found

    def of_kind(self, kind: str) -> dict[str, Declaration]:
        """Return the declarations of one kind by name."""
        return {each.name: each for each in self.declarations if each.kind == kind}

    @property
    def parameters(self) -> dict[str, Declaration]:
        """Return the parameters."""
        return self.of_kind("parameters")

    @property
    def required(self) -> set[str]:
        """Return the parameters that must be given."""
        return {name for name, each in self.parameters.items() if each.value is None}

    @property
    def resources(self) -> dict[str, Declaration]:
        """Return the resources that it makes."""
        return {name: each for name, each in self.of_kind("resources").items() if not each.is_existing}

    @property
    def modules(self) -> dict[str, Declaration]:
        """Return the modules that it calls."""
        return self.of_kind("modules")

    @property
    def outputs(self) -> dict[str, Declaration]:
        """Return the outputs."""
        return self.of_kind("outputs")


def _all(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _all(child)


def _decorator(node: Node) -> tuple[str, str]:
    call = node.named_children[0]
    arguments = call.named_children[1].named_children
    return text(call.named_children[0]), (literal(arguments[0]) or text(arguments[0])) if arguments else ""


def templates(root: Path) -> dict[str, Template]:
    """Return every template below a folder by its relative path."""
    return {str(path.relative_to(root)): Template(path) for path in sorted(root.rglob("*.bicep"))}
