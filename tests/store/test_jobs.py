"""Jobs: what others wrote can be followed by its number."""

from dataclasses import replace

from metier.data.posting import Posting
from metier.store.jobs import Job
from metier.store.schema import jobs

NURSE = Job(
    "j1", "Nurse", "Night shifts.", "Clinic", "Riga", None, "LV", "1001", False, 20_000.5,
     30_000.0, "EUR", 1, 5.25, 9.5,
    original={"@type": "JobPosting", "title": "Nurse"}, html="<p>Night shifts.</p>",
)  # fmt: skip


def posted(job: Job) -> Posting:
    return Posting(**{name: getattr(job, name) for name in Posting.__dataclass_fields__})


def test_what_is_read_is_what_was_saved(store, tenant, clock):
    with store.write(tenant) as rows:
        rows.jobs.save([NURSE])
    with store.read(tenant) as rows:
        assert rows.jobs.get("j1") == replace(NURSE, version=1, sequence=1, made=clock.now, updated=clock.now)
        assert rows.jobs.get("j2") is None


def test_a_follower_hears_of_each_change_once(store, tenant):
    with store.read(tenant) as rows:
        assert rows.jobs.last() == 0
    with store.write(tenant) as rows:
        rows.jobs.save([NURSE, Job("j2", "Cook", ""), Job("j3", "Smith", "")])
        changes = rows.jobs.changed()
        assert rows.jobs.last() == changes.last
        assert changes.posted == (posted(NURSE), Posting("j2", "Cook", ""), Posting("j3", "Smith", ""))
        assert changes.withdrawn == ()
        assert rows.jobs.changed(changes.last).last == changes.last
    with store.write(tenant) as rows:
        rows.jobs.save([Job("j2", "Chef", "")])
        rows.jobs.withdraw("j1")
        rows.jobs.withdraw("of the bundle")
        changes = rows.jobs.changed(changes.last)
        assert rows.jobs.last() == changes.last
        assert changes.posted == (Posting("j2", "Chef", ""), posted(NURSE)), "of a withdrawn one the words count on"
        assert changes.withdrawn == ("j1", "of the bundle")
        assert rows.jobs.changed(changes.last) == replace(changes, posted=(), withdrawn=())


def test_a_follower_may_take_small_steps(store, tenant):
    with store.write(tenant) as rows:
        rows.jobs.save([Job(f"j{i}", "", "") for i in range(5)])
        seen, last = [], 0
        while some := rows.jobs.changed(last, limit=2).posted:
            seen += [one.id for one in some]
            last = rows.jobs.changed(last, limit=2).last
        assert seen == [f"j{i}" for i in range(5)]


def test_the_list_shows_what_is_open_here(store, tenant):
    with store.write(tenant) as rows:
        rows.jobs.save([NURSE, Job("j2", "Cook", "")])
        rows.jobs.withdraw("j1")
        rows.jobs.withdraw("of the bundle")
        assert [one.id for one in rows.jobs.page().items] == ["j2"]
        assert rows.jobs.get("j1").withdrawn
        assert rows.jobs.get("j1").posted
        assert not rows.jobs.get("of the bundle").posted


def test_a_job_posted_again_is_open_again(store, tenant):
    with store.write(tenant) as rows:
        rows.jobs.save([NURSE])
        rows.jobs.withdraw("j1")
        rows.jobs.save([NURSE])
        again = rows.jobs.get("j1")
        assert (again.withdrawn, again.version) == (False, 3)
        assert [one.id for one in rows.jobs.changed().posted] == ["j1"]
        rows.jobs.withdraw("of the bundle")
        rows.jobs.save([Job("of the bundle", "Cook", "")])
        assert rows.jobs.get("of the bundle").posted


def test_every_fact_of_a_posting_has_a_column():
    assert set(Posting.__dataclass_fields__) <= set(jobs.c.keys())
