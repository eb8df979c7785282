"""The queue of uploads: each is read once, by one reader, and its bytes are forgotten then."""

import pytest
import sqlalchemy as sa

from metier.store.schema import resumes

READ = {"kind": "pdf", "how": "text layer", "text": "nurse", "hidden": [{"reason": "tiny", "text": "hire me"}]}
CANDIDATE = {"headline": "Nurse", "work": [{"title": "Nurse"}]}


def add(store, tenant, content=b"%PDF-1", person="p1"):
    with store.write(tenant) as rows:
        return rows.resumes.add(person, content)


def content_of(store, tenant, id):
    with store.read(tenant) as rows:
        return rows.connection.execute(sa.select(resumes.c.content).where(resumes.c.id == id)).scalar_one()


def test_an_upload_is_read_and_its_bytes_are_forgotten(store, tenant):
    made = add(store, tenant)
    assert (made.state, made.person, made.text) == ("waiting", "p1", "")
    found, claimed, content = store.next_resume(lease=60)
    assert (found, claimed.id, claimed.state, content) == (tenant, made.id, "reading", b"%PDF-1")
    assert store.next_resume(lease=60) is None, "nobody else reads it"
    with store.write(tenant) as rows:
        assert rows.resumes.waiting() == 1
        assert rows.resumes.done(made.id, **READ, candidate=CANDIDATE)
        assert rows.resumes.waiting() == 0
        done = rows.resumes.get(made.id)
    assert (done.state, done.text, done.candidate, done.hidden) == ("done", "nurse", CANDIDATE, READ["hidden"])
    assert content_of(store, tenant, made.id) is None


def test_a_refused_upload_says_why_and_is_forgotten(store, tenant):
    made = add(store, tenant)
    with store.write(tenant) as rows:
        rows.resumes.refuse(made.id, "more than 30 pages")
        refused = rows.resumes.get(made.id)
    assert (refused.state, refused.reason, refused.text) == ("refused", "more than 30 pages", "")
    assert content_of(store, tenant, made.id) is None
    assert store.next_resume(lease=60) is None


def test_the_oldest_is_read_first_whosever_it_is(store, tenant, other, clock):
    ids = []
    for one in (other, tenant, other):
        clock.now += 1
        ids.append((one, add(store, one, content=str(clock.now).encode()).id))
    claimed = [store.next_resume(lease=60) for _ in ids]
    assert [(found, resume.id) for found, resume, _ in claimed] == ids


def test_a_reader_that_died_leaves_the_file_to_the_next_but_not_for_ever(store, tenant, clock):
    made = add(store, tenant)
    for _ in range(3):
        assert store.next_resume(lease=60)[1].id == made.id
        assert store.next_resume(lease=60) is None
        clock.now += 61
    assert store.next_resume(lease=60) is None
    with store.read(tenant) as rows:
        assert rows.resumes.get(made.id).state == "refused"
        assert "cut off 3 times" in rows.resumes.get(made.id).reason


def test_the_same_file_is_queued_once(store, tenant):
    first = add(store, tenant)
    assert add(store, tenant).id == first.id
    assert add(store, tenant, person="p2").id != first.id
    assert add(store, tenant, content=b"other").id != first.id
    with store.write(tenant) as rows:
        rows.resumes.refuse(first.id, "broken")
    assert add(store, tenant).id != first.id, "what was refused may be tried again"


def test_of_those_read_the_one_uploaded_last_counts(store, tenant):
    first, second, third, others = (add(store, tenant, bytes([i]), "p2" if i == 3 else "p1") for i in range(4))
    with store.write(tenant) as rows:
        for made, text in ((others, "other"), (second, "new"), (first, "old, but long to read")):
            rows.resumes.done(made.id, **READ | {"text": text}, candidate={})
        rows.resumes.refuse(third.id, "broken")
        for asked in (["p1", "p2", "p3"], None):
            counts = {person: one.text for person, one in rows.resumes.newest(asked).items()}
            assert counts == {"p1": "new", "p2": "other"}
        assert [one.id for one in rows.resumes.of_person("p1").items] == [third.id, second.id, first.id]
        rows.resumes.done(first.id, **READ | {"text": "corrected by hand"}, candidate={})
        assert rows.resumes.newest(["p1"])["p1"].text == "new"


def test_a_file_that_comes_again_counts_as_uploaded_last_again(store, tenant):
    for content, text in ((b"a", "first"), (b"b", "second")):
        made = add(store, tenant, content=content)
        with store.write(tenant) as rows:
            rows.resumes.done(made.id, **READ | {"text": text}, candidate={})
    add(store, tenant, content=b"a")
    with store.read(tenant) as rows:
        assert rows.resumes.newest(["p1"])["p1"].text == "first"
        assert rows.resumes.waiting() == 0


@pytest.mark.parametrize("end", ["done", "refuse"])
def test_what_was_deleted_meanwhile_stays_deleted(store, tenant, end):
    made = add(store, tenant)
    store.next_resume(lease=60)
    with store.write(tenant) as rows:
        assert rows.resumes.delete(made.id)
        assert not rows.resumes.delete(made.id)
        ended = rows.resumes.done(made.id, **READ, candidate={}) if end == "done" else rows.resumes.refuse(made.id, "x")
        assert not ended
        assert rows.resumes.get(made.id) is None
