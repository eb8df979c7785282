"""`metier models`: what can be trained, and each model's settings."""

from typing import Annotated, Any

import typer

from metier.cli.terminal import Json, print_json, print_table


def models(
    name: Annotated[str | None, typer.Argument(help="Show the settings of this model.")] = None,
    as_json: Json = False,
) -> None:
    """List the models, or the settings of one."""
    from metier.models.registry import MODELS

    described = [_describe(each) for each in ([name] if name else MODELS)]
    if as_json:
        print_json(described[0] if name else {"models": described})
    elif name:
        one = described[0]
        print(f"{one['model']}: {one['summary']}")
        rows = [[s["name"], s["type"], s["default"], s["bounds"], s["help"]] for s in one["settings"]]
        print_table(["setting", "type", "default", "bounds", "meaning"], rows)
    else:
        rows = [[m["model"], m["summary"], _yes(m["new_people"]), _yes(m["new_jobs"])] for m in described]
        print_table(["model", "what it is", "new people", "new jobs"], rows)


def _describe(name: str) -> dict[str, Any]:
    """Name, first line of the class's docstring, settings and what it can score."""
    import inspect

    from metier.models.registry import config_class, model_class

    found = model_class(name)
    return {
        "model": name,
        "summary": (inspect.getdoc(found) or "").split("\n\n")[0].replace("\n", " "),
        "new_people": found.scores_new_users,
        "new_jobs": found.scores_new_items,
        "settings": _settings(config_class(name).model_json_schema()),
    }


def _settings(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """One entry a field of a pydantic JSON schema."""
    bounds = {"minimum": ">=", "exclusiveMinimum": ">", "maximum": "<=", "exclusiveMaximum": "<"}
    return [
        {
            "name": name,
            "type": _type(field),
            "default": str(field.get("default", "required")),
            "bounds": ", ".join(f"{sign} {field[key]}" for key, sign in bounds.items() if key in field),
            "help": " ".join(field.get("description", "").split()),
        }
        for name, field in schema.get("properties", {}).items()
    ]


def _type(field: dict[str, Any]) -> str:
    if "enum" in field:
        return " | ".join(map(str, field["enum"]))
    if "anyOf" in field:
        return " | ".join(_type(option) for option in field["anyOf"])
    return str(field.get("type", field.get("const", "object")))


def _yes(value: bool) -> str:
    return "yes" if value else "no"
