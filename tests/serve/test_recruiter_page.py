"""What a recruiter reads of people is what ordered them, and nothing that is theirs alone."""

import pytest
from open_site import site_of

from metier.live import LiveModel
from metier.serve.pages import recruiter as recruiter_pages
from metier.serve.routes.jobs import get_candidates
from metier.store.people import Person


@pytest.fixture
def site(town_bundles, tmp_path):
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


def test_a_recruiter_reads_what_ordered_the_people(site, monkeypatch):
    """The profile, whatever model the tenant's jobs are ordered by."""
    asked = []
    reasons = LiveModel.reasons
    monkeypatch.setattr(LiveModel, "reasons", lambda *given, **how: asked.append(how) or reasons(*given, **how))
    with site.store.write(site.tenant) as rows:
        rows.people.save([Person("a", "I am a nurse.", discoverable=True)])
    assert site.signed_in("recruiter").open("/people?job=nurse-1").page.css("article")
    assert asked == [{"by_profile": True}]
