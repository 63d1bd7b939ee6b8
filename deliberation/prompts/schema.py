"""Reply shapes: JSON schemas in the strict subset of OpenAI-compatible servers, and the same shape in
words.

Strict subset: every object forbids other properties and requires all of its own; what may be missing is
nullable. No bounds on numbers and lengths: servers differ in what they accept, so the words state them and
the parser holds them.
"""

from collections.abc import Sequence
from typing import Any

Schema = dict[str, Any]


def record(properties: dict[str, Schema], *, description: str = "") -> Schema:
    """An object with exactly these properties, in this order."""
    shape: Schema = {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    return shape | ({"description": description} if description else {})


def items(shape: Schema, *, description: str) -> Schema:
    return {"type": "array", "items": shape, "description": description}


def value(kind: str, *, description: str, nullable: bool = False) -> Schema:
    """kind: string or number."""
    return {"type": [kind, "null"] if nullable else kind, "description": description}


def choice(options: Sequence[str], *, description: str, nullable: bool = False) -> Schema:
    kind: Schema = {"type": ["string", "null"] if nullable else "string"}
    return kind | {"enum": [*options, None] if nullable else list(options), "description": description}


def in_words(schema: Schema, *, indent: int = 0) -> str:
    """The properties of an object schema as an indented list, for servers that do not enforce a schema."""
    lines = []
    for name, shape in schema["properties"].items():
        lines.append(f"{'  ' * indent}- {name} ({kind_in_words(shape)}): {shape['description']}")
        inner = shape.get("items", shape)
        if "properties" in inner:
            lines.append(in_words(inner, indent=indent + 1))
    return "\n".join(lines)


def kind_in_words(shape: Schema) -> str:
    if "enum" in shape:
        return " | ".join("null" if option is None else option for option in shape["enum"])
    if "items" in shape:
        return f"list of {kind_in_words(shape['items'])}"
    kinds = shape["type"]
    return " or ".join(kinds) if isinstance(kinds, list) else str(kinds)
