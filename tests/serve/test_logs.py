import json
import logging

import pytest
import structlog

from metier.serve.logs import FIELDS, set_up


@pytest.fixture
def lines(capsys):
    """What was logged since, as JSON objects."""
    configured, handlers, level = structlog.get_config(), logging.root.handlers[:], logging.root.level
    yield lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    structlog.configure(**configured)
    logging.root.handlers[:], logging.root.level = handlers, level


def test_only_listed_fields_leave(lines):
    set_up()
    structlog.get_logger().info("request", request="1", body="canary", query="canary", route="/people/{id}")
    (line,) = lines()
    assert set(line) <= FIELDS
    assert (line["route"], line["request"]) == ("/people/{id}", "1")


def test_other_libraries_cannot_speak_of_people(lines):
    set_up(logging.DEBUG)
    try:
        raise ValueError("canary")
    except ValueError:
        logging.getLogger("uvicorn.error").exception("canary %s", "canary")
    logging.getLogger("sqlalchemy.engine").warning("INSERT canary")
    logging.getLogger("uvicorn.error").info("Application startup complete.")
    said = lines()
    assert "canary" not in json.dumps(said)
    assert [one.get("error") for one in said] == ["ValueError", None, None]
    assert said[2]["event"] == "Application startup complete."
