"""A day of a job board: postings and people go in, somebody uploads a résumé, reads jobs and applies to one.

python examples/board_day.py http://127.0.0.1:8000 metier_... postings.ndjson cv.pdf
"""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from metier.client import ApiError, Client
from metier.client.answers import ResumeOut, SuggestionOut
from metier.client.bodies import JobPosting, NewPerson


def postings(file: Path) -> Iterator[JobPosting]:
    """JobPostings, a line each; read as they are sent. What is no JSON is told and left out."""
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                yield json.loads(line)
            except json.JSONDecodeError as error:
                print(f"line {number} of {file} is no JSON: {error}", file=sys.stderr)


def read(board: Client, person: str, resume: str) -> ResumeOut:
    """A résumé once the service has read it."""
    while (found := board.get_resume(person, resume))["state"] in ("waiting", "reading"):
        time.sleep(0.2)
    return found


def day(board: Client, file: Path, resume: Path) -> SuggestionOut:
    """What a job board does; the job that somebody applied to."""
    for part in board.bulk_jobs(postings(file)):
        print(f"{part['accepted']} postings taken, {part['refused']} refused {part['refusals']}")
    nurse: NewPerson = {"id": "ann", "city": "Columbus", "state": "OH", "country": "US", "wishes": "no travel"}
    try:
        board.create_person(nurse)
    except ApiError as error:
        if error.status != 409:  # she was here before
            raise
    print("resume:", read(board, "ann", board.upload_resume("ann", resume)["id"])["state"])
    best = board.get_recommendations("ann", k=5, reasons=True)["items"][0]
    grounds = best["reasons"]["grounds"] if best["reasons"] else []
    print(f"{best['title']} ({best['job']}), because of", ", ".join(one["name"] for one in grounds) or "nothing said")
    board.record_event({"kind": "applied", "person": "ann", "job": best["job"]})
    print("next:", ", ".join(one["title"] for one in board.get_recommendations("ann", k=5)["items"]))
    print("people:", ", ".join(person["id"] for person in board.list_people()))
    return best


if __name__ == "__main__":
    url, key, file, resume = sys.argv[1:]
    with Client(url, key) as board:
        day(board, Path(file), Path(resume))
