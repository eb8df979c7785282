"""The Python client against a real server: the example of the documentation, then the operations it leaves out."""

import json
import runpy
from pathlib import Path

import pytest

from metier.client import ApiError, Client, transport

EXAMPLE = Path(__file__).parents[2] / "examples" / "board_day.py"
POSTINGS = [
    {"@id": "new-1", "title": "Nurse wanted", "description": "<p>We hire a nurse in OH</p>"},
    {"@id": "new-2", "title": "Welder wanted", "description": "<p>We hire a welder in TX</p>"},
    {"@id": "new-3"},
]
RESUME = "Ann Lee\nann@example.org\n\nExperience\nNurse, City Hospital, 2015 - 2020\nI am a nurse\n"


def test_day_of_a_job_board(server, tmp_path, capsys, monkeypatch):
    postings, resume = tmp_path / "postings.ndjson", tmp_path / "cv.txt"
    postings.write_text("\n".join(map(json.dumps, POSTINGS)))
    resume.write_text(RESUME)
    day = runpy.run_path(str(EXAMPLE))["day"]
    with server.running(), Client(server.url, server.key) as board:
        best = day(board, postings, resume)
        said = capsys.readouterr().out
        assert best["title"] == "Nurse wanted"
        assert "2 postings taken, 1 refused [{'line': 3, 'reason': 'title: Field required'}]" in said
        assert "resume: done" in said
        assert "people: ann" in said
        assert day(board, postings, resume)["job"] != best["job"], "the second day begins where the first ended"
        assert [one["state"] for one in board.list_resumes("ann")] == ["done"], "the same file is one résumé"

        monkeypatch.setattr(transport, "LINES", 100)
        viewed = ({"id": f"e{number}", "kind": "viewed", "person": "ann", "job": "new-2"} for number in range(250))
        parts = board.bulk_events(viewed)
        assert [one["accepted"] for one in parts] == [100, 100, 50]
        assert board.get_import(parts[0]["id"], limit=1)["accepted"] == 100
        assert board.get_reasons("ann", "new-1")["job"] == "new-1"
        assert board.get_raises("ann", "new-1")["version"] == board.list_models()["items"][0]["version"]
        assert board.recommend_to_anybody({"profile": {"text": "I am a welder"}, "asked": {"k": 1}})["items"]
        board.replace_person("ann", {"text": "I am a nurse", "discoverable": True})
        assert [one["id"] for one in board.get_candidates("new-1", k=5)["items"]] == ["ann"]
        assert len(board.get_similar_jobs("new-1", k=3)["items"]) == 3
        board.bulk_people({"id": f"many-{number}"} for number in range(7))
        assert len(list(board.list_people(limit=3))) == 8
        board.withdraw_job("new-1")
        with pytest.raises(ApiError) as caught:
            board.get_job("new-1")
        assert (caught.value.status, caught.value.type) == (404, "urn:metier:problem:not-found")
        with pytest.raises(ApiError, match="title: Field required"):
            board.create_job({})
        key = board.create_key({"label": "reader", "scopes": ["read", "jobs"]})
        with Client(server.url, key["key"]) as reader:
            assert {one["@id"] for one in reader.list_jobs(limit=1)} == {"new-2"}
            board.revoke_key(key["id"])
            with pytest.raises(ApiError, match="401"):
                next(reader.list_jobs())
        bundles = board.list_models()["bundles"]
        assert board.promote_model({"bundle": bundles[-1]})["state"] == "live"
        assert board.roll_back_model()["state"] == "live"
        assert board.verify_audit()["broken"] is None
        assert board.erase_person("ann")["erased"]["people"] == 1
        assert board.is_ready()["status"] == "ok"
        assert "metier_" in board.get_metrics()
