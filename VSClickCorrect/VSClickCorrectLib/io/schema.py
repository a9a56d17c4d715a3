"""Documents from files of any origin, checked against a declared schema; what is wrong is said here alone."""

from __future__ import annotations

import dataclasses
import json
import reprlib
from functools import cached_property
from typing import Any

# A schema by the annotation of a dataclass's field; where a number may be negative, say so in `of_fields`.
_KINDS: dict[str, dict[str, Any]] = {
    "bool": {"type": "boolean", "description": "true or false"},
    "int": {"type": "integer", "minimum": 0, "description": "a whole number of at least 0"},
    "float": {"type": "number", "minimum": 0, "description": "a number of at least 0"},
    "str": {"type": "string", "description": "a text"},
    "dict": {"type": "object", "description": "names and values"},
}


def of_fields(kind: type, **values: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of what a dataclass is made from: its fields and no others.

    Parameters
    ----------
    kind : type
        The dataclass; a field without a default must be there.
    **values : dict
        The schemas of fields whose annotation does not say enough.
    """
    fields = dataclasses.fields(kind)
    needed = [f.name for f in fields if f.default is f.default_factory is dataclasses.MISSING]
    properties = {f.name: values.get(f.name) or _KINDS[str(f.type).partition("[")[0]] for f in fields}
    return table(properties, needed)


def table(properties: dict[str, dict[str, Any]], needed: list[str] | None = None) -> dict[str, Any]:
    """Return the schema of names and values: these and no others, all needed unless some are named."""
    named = {"required": list(properties) if needed is None else needed, "additionalProperties": False}
    return {"type": "object", "description": "names and values", "properties": properties, **named}


def number(above: float, up_to: float, unit: str = "", whole: bool = False) -> dict[str, Any]:
    """Return the schema of a number from ``above`` to ``up_to``, both included."""
    words = f"a {'whole ' * whole}number from {above:g} to {up_to:g}{unit}"
    kind = "integer" if whole else "number"
    return {"type": kind, "minimum": above, "maximum": up_to, "description": words}


def one_of(*words: str) -> dict[str, Any]:
    """Return the schema of one of some words."""
    return {"enum": list(words), "description": f"one of {', '.join(words)}"}


class Schema:
    """What a document must be.

    Parameters
    ----------
    definition : dict
        A JSON Schema in which each ``description`` goes on after "must be". It is of draft 4, to which 2.0 is
        no whole number.
    """

    def __init__(self, definition: dict[str, Any]) -> None:
        self.definition = {"$schema": "http://json-schema.org/draft-04/schema#", **definition}

    @cached_property
    def _validate(self):
        # In Slicer it is installed after asking, with what loads the networks.
        import fastjsonschema

        return fastjsonschema.compile(self.definition, use_default=False)

    def check(self, document: Any, whole: str = "") -> None:
        """Refuse a document that is not as declared.

        Parameters
        ----------
        document : Any
            As JSON or TOML was read.
        whole : str
            What the document is called where a part of it is wrong; "it" alone if left out.

        Raises
        ------
        ValueError
            With the first thing that is wrong: where it is, what must be there and what is there instead.
        """
        from fastjsonschema import JsonSchemaValueException

        try:
            self._validate(document)
        except JsonSchemaValueException as error:
            raise ValueError(_sentence(error, document, whole)) from None
        try:
            json.dumps(document, allow_nan=False, default=str)
        except (ValueError, RecursionError):
            raise ValueError(f"{whole or 'it'} has a number that is not finite") from None


def _sentence(error: Any, document: Any, whole: str) -> str:
    value, definition = error.value, error.definition
    place = _place(error.path[1:], document, whole)
    if error.rule == "required":
        missing = next(word for word in definition["required"] if word not in value)
        return f"{place} has no {missing}, which must be {definition['properties'][missing]['description']}"
    if error.rule == "additionalProperties":
        known = definition["properties"]
        unknown = next(word for word in value if word not in known)
        return f"{place} has an unknown '{unknown}'; it may have {', '.join(known)}"
    return f"{place} must be {definition['description']}, not {reprlib.repr(value)}"


def _place(path: list[str], document: Any, whole: str) -> str:
    """Return where a value is, as ``threshold of 'find'``; what has a name is called by it."""
    words = [whole] if whole else []
    for step in path:
        if isinstance(document, dict):
            document = document[step]
            words.append(step)
            continue
        document = document[int(step)]
        name = document.get("name") if isinstance(document, dict) else None
        words[-1:] = [f"'{name}'"] if isinstance(name, str) else [f"number {int(step) + 1}", words[-1]][::-1]
    return " of ".join(reversed(words)) or "it"
