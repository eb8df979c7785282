"""`metier serve` killed without warning under writes: what it acknowledged is there, and nothing is half there."""

import json
import multiprocessing
import os
import random
import shutil
import sys
import threading
import time
from collections import Counter

import httpx2
import pytest
from real_server import SETTINGS, Server

from metier.cli.app import main
from metier.store.resumes import MOST_ATTEMPTS
from metier.store.schema import events, jobs, resumes
from metier.store.store import Store

NDJSON = {"Content-Type": "application/x-ndjson"}
RESUME = "Experience\nWelder, Steel Works, 2015 - 2020\nI am the welder number {}\n"


class Writers:
    """Four who write until they get no answer, and what they were told is done."""

    def __init__(self, server):
        self.client = httpx2.Client(base_url=f"{server.url}/api/v1", headers=server.headers)
        self.events, self.batches, self.imports, self.resumes = set(), set(), {}, {}
        self.people, self.sent, self.wrong = {}, Counter(), []

    def during(self, life, chance):
        """Write until the server is gone."""
        kinds = (self.event, self.profile, self.batch, self.upload)
        threads = [
            threading.Thread(target=self._repeat, args=(kind, life, random.Random(chance.random()))) for kind in kinds
        ]
        for thread in threads:
            thread.start()
        return threads

    def all_wrote(self):
        """Whether something of each kind was acknowledged."""
        return all((self.events, self.batches, self.people, self.resumes))

    def acknowledged(self):
        """How much was so far; it grows with every answer that said so."""
        return len(self.events) + len(self.imports) + len(self.resumes) + sum(self.people.values())

    def _repeat(self, write, life, chance):
        for number in range(1_000_000):
            self.sent[write.__name__] += 1
            try:
                write(self.client, f"{life}-{number}", chance)
            except httpx2.TransportError:
                return
            except AssertionError as error:
                self.wrong.append(str(error))

    def event(self, client, id, chance):
        """One event."""
        event = {"id": id, "kind": "viewed", "person": f"p{chance.randrange(100)}", "job": "j1"}
        if client.post("/events", json=event).status_code == 201:
            self.events.add(id)

    def profile(self, client, id, chance):
        """One of five people says something new."""
        person = f"somebody-{chance.randrange(5)}"
        said = self.sent["profile"]
        if client.put(f"/people/{person}", json={"text": f"nurse {said}"}).status_code == 200:
            self.people[person] = said

    def batch(self, client, id, chance):
        """Postings, or events, of one NDJSON body: one transaction."""
        ids = [f"{id}-{i}" for i in range(chance.randint(2, 40))]
        if chance.random() < 0.5:
            kind, lines = "jobs", [{"@id": one, "title": f"Nurse of {len(ids)}"} for one in ids]
        else:
            kind = "events"
            lines = [{"id": one, "kind": "saved", "person": f"p{len(ids)}", "job": "j1"} for one in ids]
        answer = client.post(f"/{kind}/bulk", content="\n".join(map(json.dumps, lines)), headers=NDJSON)
        if answer.status_code == 200:
            assert answer.json()["accepted"] == len(ids), answer.text
            self.imports[answer.json()["id"]] = len(ids)
            self.batches |= set(ids)

    def upload(self, client, id, chance):
        """A résumé, sent twice under one key, as by somebody who got no answer."""
        person, content = f"p{chance.randrange(100)}", RESUME.format(id).encode()
        for _ in range(2):
            answer = client.post(f"/people/{person}/resumes", files={"file": content}, headers={"Idempotency-Key": id})
            if answer.status_code == 202:
                made = answer.json()["id"]
                assert self.resumes.setdefault(made, (person, content)) == (person, content), "one key, two résumés"
                assert len(self.resumes) == len({content for _, content in self.resumes.values()})
        time.sleep(0.2)


def serve(arguments, log):
    """The command `metier serve`, in this process."""
    os.dup2(os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT), 2)
    os.environ |= SETTINGS
    sys.argv = ["metier", *arguments]
    main()


@pytest.mark.parametrize("kills", [2, pytest.param(200, marks=pytest.mark.slow)])
def test_what_was_acknowledged_outlives_kills(town_bundles, tmp_path, database_url, kills):
    """Three servers of four die after their first answer, the fourth perhaps before it.

    By the clock alone a busy machine would kill every other one before it had answered anybody, and lose nothing.
    """
    shutil.copytree(town_bundles, tmp_path / "models")
    server = Server(tmp_path, database_url)
    writers, chance, waited, answered = Writers(server), random.Random(1), [], 0
    context = multiprocessing.get_context("forkserver")  # which imports once: three seconds that no start takes again
    context.set_forkserver_preload(["metier.serve.app", "metier.live", "metier.cli.serve", "uvicorn"])
    for life in range(kills):
        began = time.monotonic()
        process = context.Process(target=serve, args=(server.arguments, str(tmp_path / "log")), daemon=True)
        process.start()
        server.wait_for(process.is_alive)
        waited.append(time.monotonic() - began)
        before, until = writers.acknowledged(), time.monotonic() + 60
        threads = writers.during(life, chance)
        while life % 4 and writers.acknowledged() == before and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(chance.uniform(0.05, 0.6))
        while life == kills - 1 and not writers.all_wrote() and time.monotonic() < until:
            time.sleep(0.05)
        process.kill()
        answered += writers.acknowledged() > before
        process.join()
        for thread in threads:
            thread.join()
    with server.running():
        finish_reading(server)
    assert writers.wrong == []
    done = {name: len(vars(writers)[name]) for name in ("events", "batches", "imports", "resumes")}
    cut_off = check(server, writers)
    ready = sum(waited) / kills
    print(
        f"\n{kills} kills, {answered} of them after an acknowledged write, ready after {ready:.1f} s; "
        f"{done} acknowledged and there, {cut_off} résumés refused"
    )
    assert answered >= kills / 2


def finish_reading(server):
    """Wait until every résumé is read that nobody was reading when they were killed."""
    store = Store.open(server.database)
    for _ in range(1200):
        with store.read(server.tenant) as rows:
            if not rows.rows(rows.select(resumes, resumes.c.id).where(resumes.c.state == "waiting")):
                break
        time.sleep(0.1)
    store.close()


def check(server, writers):
    """All that was acknowledged is there; batches, the audit's chain and the database are whole."""
    store = Store.open(server.database)
    with store.read(server.tenant) as rows:
        kept = {
            row["source"]: row["person"] for row in rows.rows(rows.select(events, events.c.source, events.c.person))
        }
        posted = {row["id"]: row["title"] for row in rows.rows(rows.select(jobs, jobs.c.id, jobs.c.title))}
        assert writers.events <= kept.keys()
        assert writers.batches <= kept.keys() | posted.keys()
        assert writers.all_wrote()
        sizes = {id: int(person[1:]) for id, person in kept.items() if id.count("-") == 2}
        sizes |= {id: int(title.split()[-1]) for id, title in posted.items()}
        torn = Counter((id.rpartition("-")[0], size) for id, size in sizes.items())
        assert [batch for batch, found in torn.items() if found != batch[1]] == []
        for id, size in writers.imports.items():
            kept_import = rows.imports.get(id)
            assert (kept_import.state, kept_import.accepted) == ("done", size)
        for person, said in writers.people.items():
            assert said <= int(rows.people.get(person).text.split()[-1]) <= writers.sent["profile"]
        assert rows.audit.verify().broken is None
        if rows.connection.dialect.name == "sqlite":
            assert rows.connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
    cut_off = 0
    with store.read(server.tenant) as rows:
        for row in rows.rows(rows.select(resumes).where(resumes.c.id.in_(list(writers.resumes)))):
            person, content = writers.resumes.pop(row["id"])
            assert row["person"] == person
            if row["state"] == "refused":  # three servers died while they read it: it might have been the cause
                assert (row["attempts"], row["reason"]) == (
                    MOST_ATTEMPTS,
                    f"its reading was cut off {MOST_ATTEMPTS} times",
                )
                cut_off += 1
            elif row["state"] == "done":
                assert row["text"].split() == content.decode().split()
            else:
                assert row["content"] == content
    store.close()
    assert writers.resumes == {}
    return cut_off
