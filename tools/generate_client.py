"""Write the types and methods of the Python client from the OpenAPI document.

    python tools/generate_client.py docs/reference/openapi.json src/metier/client

makes `bodies.py` and `answers.py`, a TypedDict for each schema, and `operations.py`, a method for each operation.
"""

import json
import re
import sys
from graphlib import TopologicalSorter
from itertools import chain
from pathlib import Path
from textwrap import wrap
from typing import Any

WIDTH = 120
KEY = "Idempotency-Key"
NOTE = "Written by `make client`; what is changed here is lost."
PLACES = ("path", "query", "header")
PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
Document = dict[str, Any]
Part = Any
"""A string, or what `fitted` takes, without the indent."""


def type_of(schema: Document) -> str:
    """The Python type of a JSON schema."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(map(type_of, schema["anyOf"])))
    if values := schema.get("enum") or [value for name, value in schema.items() if name == "const"]:
        return f"Literal[{', '.join(map(json.dumps, values))}]"
    if schema.get("type") == "array":
        return f"list[{type_of(schema['items'])}]"
    if schema.get("type") == "object":
        inner = schema.get("additionalProperties")
        return f"dict[str, {type_of(inner) if isinstance(inner, dict) else 'Any'}]"
    return PLAIN[schema["type"]] if "type" in schema else "Any"


def docstring(text: str, indent: str) -> list[str]:
    """Lines of a docstring."""
    return [indent + line for line in wrap(f'"""{text}"""', WIDTH - len(indent))]


def fitted(head: str, parts: list[Part], tail: str, indent: str) -> list[str]:
    """Head, parts and tail on one line where they fit, else a part a line."""
    whole = ", ".join(one if isinstance(one, str) else f"{one[0]}{', '.join(one[1])}{one[2]}" for one in parts)
    if len(line := f"{indent}{head}{whole}{tail}") <= WIDTH:
        return [line]
    within = indent + "    "
    lines = [indent + head]
    for one in parts:
        lines += [f"{within}{one},"] if isinstance(one, str) else fitted(one[0], one[1], f"{one[2]},", within)
    return [*lines, indent + tail]


def record(name: str, schema: Document) -> list[str]:
    """A schema as a TypedDict; in the form of a call where fields have names that Python's have not."""
    needed = set(schema.get("required", ()))
    kinds = {field: type_of(one) for field, one in schema["properties"].items()}
    kinds = {field: kind if field in needed else f"NotRequired[{kind}]" for field, kind in kinds.items()}
    if not all(map(str.isidentifier, kinds)):
        rows = [f"        {json.dumps(field)}: {kind}," for field, kind in kinds.items()]
        head = [f"{name} = TypedDict(", f'    "{name}",', "    {", *rows, "    },", ")"]
        return [*head, *docstring(schema["description"], "")]
    lines = [f"class {name}(TypedDict):", *docstring(schema["description"], "    "), ""]
    for field, kind in kinds.items():
        lines.append(f"    {field}: {kind}")
        if said := schema["properties"][field].get("description"):
            lines += docstring(said, "    ")
    return lines


def named(document: Any) -> set[str]:
    """The schemas that a part of the document names."""
    return set(re.findall(r"schemas/(\w+)", json.dumps(document)))


def needed(document: Any, schemas: dict[str, Document]) -> set[str]:
    """The schemas that a part of the document names, and those that they are made of."""
    found: set[str] = set()
    while more := named([document, *(schemas[name] for name in found)]) - found:
        found |= more
    return {name for name in found if not name.startswith(("Page_", "Body_"))}


def records(title: str, names: set[str], schemas: dict[str, Document]) -> str:
    """Schemas as TypedDicts, each after those it is made of."""
    parts = {name: sorted(named(schemas[name])) for name in sorted(names)}
    blocks = ["\n".join(record(name, schemas[name])) for name in TopologicalSorter(parts).static_order()]
    words = set(re.findall(r"\w+", " ".join(blocks)))
    used = [name for name in ("Any", "Literal", "NotRequired", "TypedDict") if name in words]
    gap = "\n\n" + "\n" * blocks[0].startswith("class")  # as ruff wants it
    return f'"""{title} {NOTE}"""\n\nfrom typing import {", ".join(used)}{gap}' + "\n\n\n".join(blocks) + "\n"


def method(path: str, verb: str, operation: Document, schemas: dict[str, Document]) -> list[str]:
    """An operation as a method; a page becomes an iterator, NDJSON takes an iterable, and CSV is left out."""
    answer = next(one for code, one in operation["responses"].items() if code.startswith("2"))
    made = answer.get("content", {})
    gives = type_of(made["application/json"]["schema"]) if "application/json" in made else "str" if made else "None"
    page = schemas[gives]["properties"] if gives.startswith("Page_") else None
    left_out = {"cursor"} if page else {"format"} if len(made) > 1 else set()
    given = {place: [one for one in operation.get("parameters", []) if one["in"] == place] for place in PLACES}
    query = [one for one in given["query"] if one["name"] not in left_out]
    where = "f" * bool(given["path"]) + json.dumps(re.sub(r"{(\w+)}", r"{quoted(\1)}", path))
    how = "ask"
    asked: list[Part] = [json.dumps(verb.upper()), where]
    arguments = ["self", *(f"{one['name']}: str" for one in given["path"])]
    arguments += [f"{one['name']}: {type_of(one['schema'])}" for one in query if one.get("required")]
    ((kind, body),) = operation.get("requestBody", {"content": {"": {}}})["content"].items()
    if kind == "application/json":
        arguments.append(f"body: {type_of(body['schema'])}")
        asked.append("json=body")
    elif kind == "application/x-ndjson":
        arguments.append(f"records: Iterable[{body['schema']['description'].split()[1]}]")
        how, asked, gives = "lines", [where, "records"], f"list[{gives}]"
    elif kind:
        arguments.append("file: Path | bytes")
        asked.append("file=file")
    if free := [one for one in query if not one.get("required")]:
        arguments.append("*")
        arguments += [f"{one['name']}: {type_of(one['schema']).removesuffix(' | None')} | None = None" for one in free]
    if query:
        asked.append(("params={", [f"{json.dumps(one['name'])}: {one['name']}" for one in query], "}"))
    if any(one["name"] == KEY for one in given["header"]):
        asked.append("once=True")
    if page:
        how, asked, gives = "pages", asked[1:], f"Iterator[{type_of(page['items']['items'])}]"
    return [
        *fitted(f"def {operation['operationId']}(", arguments, f") -> {gives}:", "    "),
        *docstring(operation["description"], "        "),
        *fitted(f"return self._{how}(", asked, ")", "        "),
    ]


def operations(document: Document, modules: dict[str, set[str]]) -> str:
    """All operations as one class; `modules` says where its types are."""
    schemas = document["components"]["schemas"]
    blocks = [
        ["", *method(path, verb, operation, schemas)]
        for path, verbs in document["paths"].items()
        for verb, operation in verbs.items()
    ]
    head = [f'"""The operations. {NOTE}"""', "", '# mypy: disable-error-code="no-any-return"', ""]
    used = set(re.findall(r"\w+", " ".join(line for line in chain(*blocks) if '"""' not in line)))
    types = ", ".join(name for name in ("Any", "Literal") if name in used)
    head += [
        "from collections.abc import Iterable, Iterator",
        "from pathlib import Path",
        f"from typing import {types}",
        "",
    ]
    for module, names in modules.items():
        head += fitted(f"from metier.client.{module} import (", sorted(names & used), ")", "")
    head += ["from metier.client.transport import Transport, quoted", "", "", "class Operations(Transport):"]
    head.append(f'    """{document["info"]["title"]} {document["info"]["version"]}, operation by operation."""')
    return "\n".join(chain(head, *blocks)) + "\n"


def write(document: Document, folder: Path) -> None:
    """All three files."""
    schemas = document["components"]["schemas"]
    bodies = needed([one.get("requestBody") for verbs in document["paths"].values() for one in verbs.values()], schemas)
    modules = {"answers": needed(document["paths"], schemas) - bodies, "bodies": bodies}
    files = {
        "answers": records("What comes back.", modules["answers"], schemas),
        "bodies": records("What is sent.", bodies, schemas),
        "operations": operations(document, modules),
    }
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), Path(sys.argv[2]))
