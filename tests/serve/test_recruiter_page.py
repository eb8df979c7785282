"""What a recruiter reads of people is what ordered them, and nothing that is theirs alone."""

from dataclasses import replace

import pytest
from open_site import site_of

from metier.live import LiveModel
from metier.serve.pages import recruiter as recruiter_pages
from metier.serve.routes.jobs import get_candidates
from metier.store.people import Person


@pytest.fixture
def site(town_bundles, tmp_path, monkeypatch):
    monkeypatch.setattr("metier.serve.app.rehearse", lambda model: None)  # its questions are not a recruiter's
    with site_of(town_bundles, tmp_path) as made:
        yield made


def test_a_recruiter_learns_of_no_wish_and_of_nobody_who_withdrew_since(site, monkeypatch):
    """A wish that the posting holds changes nothing on the page, and one who withdraws takes only themselves off it."""
    shown = []
    for wishes in ("", "wound care"):
        with site.store.write(site.tenant) as rows:
            rows.people.save([Person(id, "", wishes=wishes, discoverable=True) for id in ("a", "b")])
        recruiter = site.signed_in("recruiter").open("/people?job=nurse-1")
        shown.append([one.text() for one in recruiter.page.css("article")])
    assert len(shown[0]) == 2
    assert shown[0] == shown[1]

    def withdrawn_once_listed(*asked):
        ranking = get_candidates(*asked)
        with site.store.write(site.tenant) as rows:
            rows.people.save([Person("a", "")])
        return ranking

    monkeypatch.setattr(recruiter_pages, "get_candidates", withdrawn_once_listed)
    listed = recruiter.open("/people?job=nurse-1").page.css("article code")
    assert [one.text() for one in listed] == ["b"]


def test_who_names_no_job_is_called_by_skills_or_else_by_a_number(site):
    """Never by a name, and not by the headline of a résumé, of which a recruiter sees no line."""
    about = {"contact": {"name": "Marla Testfield"}, "headline": "Head of everything", "skills": ["Patient assessment"]}
    with site.store.write(site.tenant) as rows:
        told = {
            "titled": "I am a nurse.",
            "skilled": "Skills\nPatient assessment, wound care",
            "silent": "Hello there.",
        }
        people = [Person(id, text, discoverable=True) for id, text in told.items()]
        people[0] = replace(people[0], attributes={"titles": ["Ward Sister", "Nurse"]})
        rows.people.save(people)
        resume = rows.resumes.add("silent", b"x")
        rows.resumes.done(resume.id, kind="text", how="text layer", text="Hello", hidden=[], candidate=about)
    recruiter = site.signed_in("recruiter").open("/people?job=nurse-1")
    called = {one.css_first("code").text(): one.css_first("h2").text() for one in recruiter.page.css("article")}
    number = list(called).index("silent") + 1
    skills = called.pop("skilled").lower()
    assert called == {"titled": "Ward Sister", "silent": f"Candidate {number}"}
    assert "patient assessment" in skills
    assert "wound care" in skills
    assert "Marla" not in recruiter.text
    assert "Head of everything" not in recruiter.text


def test_a_recruiter_reads_what_ordered_the_people(site, monkeypatch):
    """The profile, whatever model the tenant's jobs are ordered by."""
    asked = []
    reasons = LiveModel.reasons
    monkeypatch.setattr(LiveModel, "reasons", lambda *given, **how: asked.append(how) or reasons(*given, **how))
    with site.store.write(site.tenant) as rows:
        rows.people.save([Person("a", "I am a nurse.", discoverable=True)])
    assert site.signed_in("recruiter").open("/people?job=nurse-1").page.css("article")
    assert asked == [{"by_profile": True}]
