"""The pages without JavaScript: what people of each role can do, and what nobody can."""

import json
import time
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa
from open_site import HASHED, PASSWORD, RESUME, site_of
from payloads import PAYLOADS
from visitor import Visitor

from metier.serve.pages import ROUTES, forms
from metier.serve.pages.visit import FORM_COOKIE, local
from metier.store.imports import Refusal
from metier.store.schema import metadata


@pytest.fixture
def site(town_bundles, tmp_path):
    with site_of(town_bundles, tmp_path) as made:
        yield made


def read(visitor, seconds=30):
    """Look again, as the page asks a browser without JavaScript to, until the résumé was read."""
    until = time.monotonic() + seconds
    while "Reading your résumé" in visitor.text:
        assert visitor.page.css_first('noscript meta[http-equiv="refresh"]')
        assert time.monotonic() < until, "the résumé is not read"
        time.sleep(0.1)
        visitor.open(f"{visitor.path}?{visitor.answer.url.query.decode()}")
    return visitor


def seeker_with_resume(site):
    visitor = site.signed_in("seeker").open("/profile")
    visitor.send("/resumes", file=RESUME.encode())
    read(visitor)
    return visitor.send("/resume")


def test_first_start_makes_the_administrator_once(town_bundles, tmp_path):
    with site_of(town_bundles, tmp_path, accounts=False) as site:
        older, token = (site.store.setup.token(site.tenant) for _ in range(2))
        visitor = site.visitor().open("/")
        assert visitor.path == "/first-start"
        for wrong in ("no", older):
            visitor.send("/first-start", {"token": wrong, "login": "ann", "password": PASSWORD}, status=422)
            assert "not the token that was printed last: each start" in visitor.page.css_first("#token-error").text()
        visitor.send("/first-start", {"token": token, "login": "ann", "password": "short"}, status=422)
        assert visitor.page.css_first("#password").attributes["aria-invalid"] == "true"
        visitor.send("/first-start", {"token": token, "login": "ann", "password": PASSWORD})
        assert visitor.path == "/dashboard"
        site.visitor().open("/first-start", 404)


def test_signing_in_and_out(site):
    visitor = site.visitor().open("/jobs?words=nurse")
    assert visitor.path == "/sign-in"
    visitor.send("/sign-in", {"login": "seeker", "password": "wrong"}, status=422)
    assert visitor.page.css_first(".summary a").attributes["href"] == "#login"
    visitor.send("/sign-in", {"login": "seeker", "password": PASSWORD})
    assert (visitor.path, visitor.answer.url.query) == ("/jobs", b"words=nurse")
    kept = dict(visitor.client.cookies)
    visitor.send("/sign-out")
    assert visitor.path == "/"
    assert visitor.open("/jobs").path == "/sign-in"
    thief = site.visitor()
    thief.client.cookies.update(kept)
    assert thief.open("/jobs").path == "/sign-in"


@pytest.mark.parametrize("next", ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)"])
def test_nobody_is_sent_elsewhere(site, next):
    assert local(next) == "/"
    visitor = site.visitor()
    visitor.client.follow_redirects = False
    visitor.open(f"/sign-in?{urlencode({'next': next})}")
    form = visitor.form("/sign-in")
    assert form.css_first('[name="next"]').attributes["value"] == "/"
    csrf = form.css_first('[name="csrf"]').attributes["value"]
    sent = {"csrf": csrf, "next": next, "login": "seeker", "password": PASSWORD}
    assert visitor.client.post("/sign-in", data=sent).headers["location"] == "/"


def everything(site):
    """The rows of every table, once all that waits is written."""
    site.client.app.state.service.afterwards.flush()
    with site.store.database.read() as connection:
        return {table.name: sorted(map(repr, connection.execute(sa.select(table)))) for table in metadata.sorted_tables}


def test_trying_without_an_account_keeps_nothing(site):
    before = everything(site)
    visitor = site.visitor().open("/").open("/try")
    visitor.send("/try", press=("sample", "nurse"))
    assert visitor.jobs()[0] == "Registered Nurse"
    assert "patient assessment" in visitor.text
    assert "Nothing of it was kept" in visitor.text
    narrowed = visitor.send("/try/jobs", {"for-state": "TX"})
    assert "Pipe Welder" in narrowed.jobs()
    assert "Registered Nurse" not in narrowed.jobs()
    visitor.send("/try/jobs", {"for-within_km": "far"}, status=422)
    assert visitor.page.css_first("#for-within_km-error")
    assert everything(site) == before


def test_a_pasted_or_sent_resume_and_one_that_is_none(site):
    visitor = site.visitor().open("/try")
    visitor.send("/try", {"text": "I weld pipe, TIG welding mostly", "city": "Houston", "state": "TX"})
    assert visitor.jobs()[0] == "Pipe Welder"
    assert "km away" in visitor.text
    visitor.open("/try").send("/try/resumes", file=RESUME.encode())
    assert visitor.jobs()[0] == "Registered Nurse"
    visitor.open("/try").send("/try/resumes", file=b"\x89PNG\r\n\x1a\nbroken", status=422)
    assert visitor.page.css_first("#file-error")
    visitor.open("/try").send("/try", {"text": "  "}, status=422)


def test_empty_file_is_called_empty_and_no_file_missing(site):
    seeker = site.signed_in("seeker").open("/profile")
    for visitor, path in ((site.visitor().open("/try"), "/try/resumes"), (seeker, "/resumes")):
        visitor.send(path, file=b"", status=422)
        assert "This file is empty" in visitor.page.css_first("#file-error").text()
        visitor.send(path, file=("", b""), status=422)
        assert "Choose a file." in visitor.page.css_first("#file-error").text()


def test_what_a_file_was_read_as_is_said_whatever_its_name(site):
    named = ("resume.pdf", RESUME.encode())
    visitor = site.visitor().open("/try").send("/try/resumes", file=named)
    assert "read as plain text" in visitor.text
    assert visitor.jobs()[0] == "Registered Nurse"
    seeker = site.signed_in("seeker").open("/profile")
    seeker.send("/resumes", file=named)
    assert "The file was read as plain text." in read(seeker).text


BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def test_browser_reads_refusals_as_pages_and_programs_as_problems(site):
    large = b"x" * 10_500_001
    for visitor, form in ((site.visitor().open("/try"), "/try/resumes"), (site.signed_in("seeker"), "/resumes")):
        client = visitor.client
        said = visitor._arrived(client.get("/nowhere", headers=BROWSER), 404).text
        assert "There is nothing here" in said
        assert "Check the address" in said
        assert "/sign-out" in visitor.answer.text if form == "/resumes" else "/sign-in" in visitor.answer.text
        said = visitor._arrived(client.post(form, content=large, headers=BROWSER), 413).text
        assert "up to 10 MB" in said
        assert "Choose another file" in said
        visitor._arrived(client.put("/try", headers=BROWSER), 405)
        asked = (("GET", "/nowhere", b"", {}), ("GET", "/api/v1/nowhere", b"", BROWSER), ("POST", form, large, {}))
        for method, path, content, headers in asked:
            answer = client.request(method, path, content=content, headers=headers)
            assert answer.headers["content-type"] == "application/problem+json", path
            assert answer.json()["status"] == answer.status_code in (404, 413)


def test_error_in_looking_up_who_comes_is_a_page_too(site, monkeypatch):
    visitor, service = site.signed_in("seeker"), site.client.app.state.service

    async def fails(cookie):
        raise ValueError("CANARY")

    monkeypatch.setattr(service, "actor_of_session", fails)
    service.actors.clear()
    text = visitor._arrived(visitor.client.get("/jobs", headers=BROWSER), 500).text
    assert "the log has it under this id" in text
    assert "CANARY" not in text


def test_what_was_tried_becomes_an_account(site):
    visitor = site.visitor().open("/try")
    visitor.send("/try", press=("sample", "welder"))
    visitor.send("/sign-up/begin")
    visitor.send("/sign-up", {"login": "seeker", "password": PASSWORD}, status=422)
    assert "taken" in visitor.page.css_first("#login-error").text()
    visitor.send("/sign-up", {"login": "teo", "password": PASSWORD})
    assert visitor.path == "/jobs"
    assert visitor.jobs()[0] == "Pipe Welder"
    visitor.open("/profile")
    assert "Houston" in visitor.form("/profile").html


def test_somebody_without_a_profile_sees_what_is_popular_and_can_upload(site):
    """The list says what it goes by, the place included where one is known, and gives no reasons."""
    visitor = site.signed_in("seeker").open("/jobs")
    everywhere = visitor.jobs()
    assert len(everywhere) > 5
    assert "Popular jobs" in everywhere_said(visitor)
    assert "Nothing is known of you yet" in visitor.text
    assert "It is the same for everybody." in visitor.text
    assert "Why this job" not in visitor.text
    assert visitor.form("/resumes").css_first('input[type="file"]')
    visitor.send("/jobs", {"words": "welding"})
    assert visitor.jobs() == ["Pipe Welder"]
    visitor.open("/profile").send("/profile", {"city": "Houston", "state": "TX"})
    assert "How near Houston, TX they are counts, too" in visitor.text
    near = [one.text() for one in visitor.page.css("ol.jobs > li .facts")]
    assert "Houston, TX" in near[0]
    visitor.send("/jobs/events", press=("kind", "saved"))
    assert "Saved" in visitor.text
    visitor.open("/profile").send("/profile", {"wishes": "no travel"})
    assert "Your wishes count, too." in visitor.text
    visitor.open("/profile").send("/profile", {"text": "I weld pipe"})
    assert "Popular jobs" not in visitor.text
    assert "Why this job" in visitor.text


def everywhere_said(visitor):
    """The headings of the list."""
    return [" ".join(one.text().split()) for one in visitor.page.css("main > h1, main > h2")]


def test_a_place_alone_shows_a_visitor_what_is_popular_there(site):
    visitor = site.visitor().open("/try").send("/try", {"city": "Houston", "state": "TX"})
    assert everywhere_said(visitor) == ["Popular jobs"]
    assert "How near Houston, TX they are counts, too" in visitor.text
    assert visitor.jobs()
    assert "Why this job" not in visitor.text
    visitor.send("/try/jobs", {"for-words": "welding"})
    assert visitor.jobs() == ["Pipe Welder"]
    visitor.open("/try").send("/try", {"city": "Atlantis"})
    assert "Atlantis is no place that this list knows, so it does not count" in visitor.text
    visitor.open("/try").send("/try", {"wishes": "python"}, status=422)


def test_the_list_can_be_put_in_the_order_of_what_was_said(site):
    """For a visitor and for a seeker; conditions stay, and the page says which order it is."""
    visitor = site.visitor().open("/try").send("/try", press=("sample", "developer"))
    assert "Likeliest to be chosen first." in visitor.text
    visitor.send("/try/jobs", {"for-state": "TX"}).send(
        "/try/jobs", press=("for-order", "closest"), within="<strong>Likeliest"
    )
    assert "Closest to what you say first." in visitor.text
    assert "Houston, TX" in visitor.text
    assert "Columbus, OH" not in visitor.text
    visitor.send("/try/jobs", {"for-words": "welding"})
    assert "Closest to what you say first." in visitor.text
    seeker = seeker_with_resume(site).open("/jobs?state=OH")
    seeker.send("/jobs", press=("order", "closest"), within="<strong>Likeliest")
    assert "Closest to what you say first." in seeker.text
    assert "Nurse" in seeker.jobs()[0]
    assert {" ".join(one.text().split()) for one in seeker.page.css("dl.shares dt")} == {"Words"}
    seeker.send("/jobs", press=("order", "likely"), within="<strong>Closest")
    assert "Likeliest to be chosen first." in seeker.text


def test_no_accounts_where_the_settings_forbid_them(town_bundles, tmp_path):
    with site_of(town_bundles, tmp_path, sign_up=False) as site:
        visitor = site.visitor().open("/")
        assert "Create an account" not in visitor.answer.text
        visitor.open("/sign-up", 404)


def test_uploaded_resume_is_read_corrected_and_compared(site):
    visitor = site.signed_in("seeker")
    assert visitor.path == "/jobs"
    assert "Say who you are first" in visitor.text
    visitor.send("/resumes", file=RESUME.encode())
    assert visitor.path == "/resume"
    read(visitor)
    form = visitor.form("/resume")
    assert form.css_first("#work-0-title").attributes["value"] == "Registered Nurse"
    assert form.css_first("#contact-city").attributes["value"] == "Columbus"
    visitor.send("/resume", {"work-0-start": "March"}, status=422)
    assert "year or a month" in visitor.page.css_first("#work-0-start-error").text()
    skills = "Patient care\nUnderwater basket weaving"
    visitor.send("/resume", {"work-0-start": "2019-04", "skills": skills})
    assert (visitor.path, visitor.jobs()[0]) == ("/jobs", "Registered Nurse")
    visitor.open("/profile")
    assert "Underwater basket weaving" in visitor.form("/profile").html
    visitor.open(visitor.page.css_first("table a").attributes["href"])
    assert visitor.form("/resume").css_first("#work-0-start").attributes["value"] == "2019-04"


def test_entry_whose_number_has_thousands_of_digits_is_none_of_the_form():
    found, errors = forms.candidate({f"work-{'9' * 5000}-title": "Nurse", "work-7-title": "Welder"})
    assert (found.titles, errors) == (("Welder",), {})


def test_nul_characters_are_taken_out(site):
    visitor = site.signed_in("seeker").open("/profile")
    visitor.send("/profile", {"text": "I am a nu\0rse", "city": "\0"})
    assert "I am a nurse" in visitor.open("/profile").form("/profile").html
    visitor.open("/job?id=nurse-1%00")
    assert "Registered Nurse" in visitor.text


TELEMETRY = ("tele-1", "Telemetry Nurse", "<p>A nurse for telemetry. Telemetry and telemetry.</p>", "Columbus", "OH")
"""A job for which one skill of the résumé speaks."""


def test_reasons_name_words_that_stand_there(site):
    site.post(*TELEMETRY)
    visitor = seeker_with_resume(site).open("/jobs?k=60")
    card, tele = (
        next(one for one in visitor.page.css("ol.jobs > li") if title in one.css_first("h2").text())
        for title in ("Registered Nurse", "Telemetry Nurse")
    )
    assert "patient assessment" in card.css_first(".have").text().lower()
    assert "wound care" in card.css_first(".lack").text().lower()
    because = [one.css_first(".because") for one in visitor.page.css("ol.jobs > li")]
    plain = [one.text() for one in because if one and one.text().startswith("Nothing in your profile speaks for this")]
    assert 0 < len(plain) < len(visitor.jobs())
    last = next(one for one in visitor.page.css("ol.jobs > li") if plain[0] in one.text())
    assert "It stands here for what speaks for it to many people" in last.text()
    assert not [one for one in last.css("details li strong") if one.text() != "The place that you gave"]
    quoted = [" ".join(one.text().split()) for one in tele.css("mark")]
    assert quoted
    assert all(one.lower() in f"{RESUME} {tele.text()}".lower() for one in quoted)
    shares = [float(one.text().split("%")[0]) for one in card.css("dl.shares dd span")]
    assert sum(shares) == pytest.approx(100, abs=3)
    visitor.open("/job?id=nurse-1")
    raised = visitor.page.css_first("#raise").parent.text()
    assert "wound care" in raised.lower()


def test_applied_saved_and_dismissed_change_the_list(site):
    visitor = seeker_with_resume(site)
    first = visitor.jobs()[0]
    visitor.send("/jobs/events", press=("kind", "applied"), within='value="nurse-1"')
    assert "you applied" in visitor.page.css_first(".notice").text()
    assert first not in visitor.jobs()
    second = visitor.page.css_first("ol.jobs > li [name=job]").attributes["value"]
    visitor.send("/jobs/events", press=("kind", "dismissed"))
    assert second not in [one.attributes["value"] for one in visitor.page.css("ol.jobs [name=job]")]
    visitor.send("/jobs/events", press=("kind", "saved"))
    visitor.open("/mine")
    headings = [one.text() for one in visitor.page.css("h2")]
    assert headings == ["Saved", "Applied for", "Not shown any more"]
    assert "Registered Nurse" in visitor.text
    visitor.open("/job?id=nurse-1")
    assert "You applied" in visitor.text


def test_a_mistake_is_taken_back_where_it_was_made(site):
    """By the notice of the list, where the job is gone; by the pressed button, on its page and under "My list"."""
    visitor = seeker_with_resume(site)
    before = visitor.jobs()
    for kind in ("dismissed", "applied"):
        visitor.send("/jobs/events", press=("kind", kind), within='value="nurse-1"')
        assert "Registered Nurse" not in visitor.jobs()
        visitor.send("/jobs/events", press=("kind", f"un{kind}"))
        assert "Taken back" in visitor.page.css_first(".notice").text()
        assert visitor.jobs() == before
        assert not visitor.page.css(".notice form")
    visitor.send("/jobs/events", press=("kind", "saved"), within='value="nurse-1"')
    (pressed,) = visitor.page.css('ol.jobs button[aria-pressed="true"]')
    assert "Saved: Registered Nurse" in pressed.text()
    visitor.open("/mine").send("/jobs/events", press=("kind", "applied"))
    assert [one.text() for one in visitor.page.css("h2")] == ["Applied for"]
    assert len(visitor.page.css('button[aria-pressed="true"]')) == 2
    visitor.send("/jobs/events", press=("kind", "unapplied"))
    assert [one.text() for one in visitor.page.css("h2")] == ["Saved"]
    visitor.open("/job?id=nurse-1").send("/jobs/events", press=("kind", "unsaved"))
    assert visitor.path == "/job"
    assert not visitor.page.css('button[aria-pressed="true"]')
    assert "Nothing here yet" in visitor.open("/mine").text
    visitor.open("/jobs?done=dismissed&job=nurse-1")
    assert not visitor.page.css(".notice form"), "an address alone offers to undo what nobody did"


def test_a_page_prints_no_level_that_the_posting_does_not_state(site):
    visitor = seeker_with_resume(site)
    for path in ("/jobs", "/job?id=nurse-1"):
        facts = [one.text().strip() for one in visitor.open(path).page.css(".facts li")]
        assert "Columbus, OH, US" in facts
        assert not {"beginner", "experienced", "senior", "leading others"} & set(facts)


def test_condition_takes_the_name_of_a_state(site):
    visitor = site.visitor().open("/try")
    visitor.send("/try", press=("sample", "welder"))
    assert "Pipe Welder" in visitor.send("/try/jobs", {"for-state": "Texas"}).jobs()


def test_wishes_and_conditions(site):
    visitor = seeker_with_resume(site)
    visitor.send("/wishes", {"wishes": "no patient assessment"})
    assert visitor.jobs()[0] != "Registered Nurse"
    assert visitor.form("/wishes").css_first("#wishes").attributes["value"] == "no patient assessment"
    visitor.send("/jobs", {"words": "pipe, travel"})
    assert visitor.jobs() == ["Pipe Welder"]
    visitor.send("/jobs", {"words": "", "salary_min": "a lot", "posted_after": "soon"}, status=422)
    assert [one.attributes["href"] for one in visitor.page.css(".summary a")] == ["#salary_min", "#posted_after"]
    assert "There are 2 problems" in visitor.text
    assert visitor.page.css_first("title").text().startswith("Error: ")
    visitor.open("/jobs?employer=Nobody")
    assert "Take one away" in visitor.text


def test_profile_is_saved_taken_along_and_erased(site):
    visitor = site.signed_in("seeker").open("/profile")
    visitor.send("/profile", {"text": "I am a teacher", "titles": "Teacher\nTutor", "city": "Seattle", "state": "WA"})
    assert visitor.jobs()[0] == "Teacher"
    visitor.open("/profile").send("/profile", {"city": "x" * 130}, status=422)
    assert visitor.page.css_first("#city-error")
    visitor.send("/profile", {"city": "", "titles": f"Nurse\n{'x' * 130}"}, status=422)
    assert "one a line" in visitor.page.css_first("#titles-error").text()
    export = visitor.open("/profile").page.css_first("a[download]").attributes["href"]
    assert visitor.client.get(export).json()["people"][0]["text"] == "I am a teacher"
    visitor.send("/profile/erase", status=422)
    visitor.send("/profile/erase", {"sure": "true"})
    assert visitor.path == "/"
    with site.store.read(site.tenant) as rows:
        assert rows.people.get("me") is None
    assert visitor.open("/jobs").path == "/sign-in"


def test_a_form_that_was_open_in_two_windows_does_not_undo_the_other(site):
    one = site.signed_in("seeker").open("/profile")
    other = site.signed_in("seeker").open("/profile")
    one.send("/profile", {"text": "I am a teacher"})
    other.send("/profile", {"city": "x" * 130, "text": "I weld"}, status=422)
    other.send("/profile", {"city": "Seattle"}, status=412)
    assert "changed elsewhere" in other.text
    assert "I weld" in other.form("/profile").html
    with site.store.read(site.tenant) as rows:
        assert rows.people.get("me").text == "I am a teacher"
    other.send("/profile")
    with site.store.read(site.tenant) as rows:
        assert (rows.people.get("me").text, rows.people.get("me").city) == ("I weld", "Seattle")


def test_forms_of_others_are_refused(site):
    visitor = site.signed_in("seeker").open("/profile")
    before = visitor.client.get("/profile").text
    own = visitor.form("/profile").css_first('[name="csrf"]').attributes["value"]
    for token in ("", "wrong", own[:-1]):
        visitor._arrived(visitor.client.post("/profile", data={"csrf": token, "text": "changed"}), 403)
    assert visitor.client.get("/profile").text == before
    stranger = site.visitor()
    stranger._arrived(stranger.client.post("/try", data={"text": "I am a nurse"}), 403)
    stranger._arrived(stranger.client.post("/try", data={"csrf": "", "text": "I am a nurse"}), 403)
    stranger.client.cookies.set(FORM_COOKIE, "")
    stranger._arrived(stranger.client.post("/try", data={"csrf": "", "text": "I am a nurse"}), 403)


def test_every_form_asks_for_its_token(site):
    """All routes that change something: without a token 403, whatever else is sent, and nobody else gets as far."""
    posts = [route for route in ROUTES if "POST" in route.methods]
    assert len(posts) > 10
    for role in ("seeker", "recruiter", "operator", "admin"):
        visitor = site.signed_in(role)
        for route in posts:
            answer = visitor.client.post(route.path, data={"csrf": "wrong"})
            assert answer.status_code in (403, 404), (role, route.path)
            assert "<h1>" in answer.text


ALLOWED = {
    "seeker": {"/jobs", "/mine", "/profile", "/password"},
    "recruiter": {"/postings", "/password"},
    "operator": {"/dashboard", "/audit", "/password"},
    "admin": {"/dashboard", "/audit", "/accounts", "/password"},
}


@pytest.mark.parametrize("role", ALLOWED)
def test_pages_are_for_those_whom_the_policy_lets_in(site, role):
    visitor = site.signed_in(role)
    for path in sorted(set().union(*ALLOWED.values())):
        visitor.open(path, 200 if path in ALLOWED[role] else 404)
    assert {one.attributes["href"] for one in visitor.open("/job?id=nurse-1").page.css("nav a")} == ALLOWED[role]


def test_another_person_s_resume_is_not_there(site):
    visitor = seeker_with_resume(site)
    resume = visitor.open("/profile").page.css_first("table a").attributes["href"]
    with site.store.write(site.tenant) as rows:
        rows.accounts.add("other", HASHED, "seeker", "you")
    other = site.visitor().open("/sign-in").send("/sign-in", {"login": "other", "password": PASSWORD})
    told = [other.open(path, 404).page.css_first("main").text() for path in (resume, "/resume?id=nothing")]
    assert len({text.partition("request:")[0] for text in told}) == 1
    assert "Registered Nurse" in visitor.open(resume).text  # the same address shows it to whom it belongs
    other.open("/job?id=nothing", 404)


def test_recruiter_sees_who_may_be_found_and_rejects_nobody(site):
    seeker = seeker_with_resume(site)
    seeker.send("/jobs/events", press=("kind", "applied"))
    seeker.open("/profile")
    recruiter = site.signed_in("recruiter")
    assert {"Registered Nurse", "Pipe Welder", "Teacher"} <= set(recruiter.jobs())
    assert "Nobody to show" in recruiter.open("/people?job=nurse-1").text
    words = "Marla Testfield\nmarla@example.org\nCalm on the ward; she teaches Excel to marla@example.org."
    seeker.send("/profile", {"discoverable": "true", "text": words, "zip": "85001", "wishes": "no nights"})
    site.post(*TELEMETRY)
    of_profile = [
        one for one in recruiter.open("/people?job=tele-1").page.css("blockquote") if "(the profile)" in one.text()
    ]
    assert of_profile
    for one in of_profile:
        assert one.text().split() == [*one.css_first("mark").text().split(), "(the", "profile)"]
    recruiter.open("/people?job=nurse-1")
    assert recruiter.jobs() == ["Registered Nurse"]
    assert "patient assessment" in recruiter.text.lower()
    buttons = [one.text().strip() for one in recruiter.page.css("button")]
    assert buttons == ["Sign out"]
    assert "Why this person" in recruiter.text
    assert "applied for" not in recruiter.text.lower()
    assert "Calm on the ward" in recruiter.text
    for hidden in ("marla", "testfield@", "85001", "no nights", " she ", "your profile says", "their profile says"):
        assert hidden not in recruiter.answer.text.lower(), hidden
    site.client.app.state.service.afterwards.flush()
    with site.store.read(site.tenant) as rows:
        assert "person.viewed" in {one.action for one in rows.audit.page(object="me").items}
    recruiter.open("/people?job=nothing", 404)


def test_operator_promotes_rolls_back_and_verifies(site):
    operator = site.signed_in("operator")
    assert "first" in operator.page.css_first(".figures").text()
    operator.send("/models/promote", {"bundle": "second"}, within="<select")
    assert "second" in operator.page.css_first(".figures").text()
    operator.send("/models/rollback")
    assert "first" in operator.page.css_first(".figures").text()
    operator.open("/audit").send("/audit", within="Verify")
    assert "The chain is whole" in operator.text
    assert "model.promoted" in operator.text


def test_audit_says_the_role_and_the_title_beside_the_ids_and_nothing_of_a_person(site):
    """Also of a job that was withdrawn; a person stays an id, and an account a role."""
    seeker = seeker_with_resume(site)
    seeker.open("/profile").send("/profile", {"discoverable": "true"})
    site.signed_in("recruiter").open("/people?job=nurse-1")
    with site.store.write(site.tenant) as rows:
        rows.jobs.withdraw("nurse-1")
        rows.audit.append("system", "job.withdrawn", "nurse-1")
        rows.audit.append(rows.keys.add("nightly", ["jobs"], "system")[0].id, "job.posted", "welder-1")
        accounts = {one.role: one.id for one in rows.accounts.page().items}
        rows.audit.append(accounts["admin"], "account.disabled", accounts["operator"])
    site.client.app.state.service.afterwards.flush()
    operator = site.signed_in("operator").open("/audit")
    found = {}
    for row in operator.page.css("tbody tr"):
        cells = [" ".join(one.text().split()) for one in row.css("td")]
        found[cells[2]] = cells[1], cells[3]
    assert found["job.withdrawn"] == ("metier itself system", "Registered Nurse nurse-1")
    assert found["candidates.served"] == (f"recruiter {accounts['recruiter']}", "Registered Nurse nurse-1")
    assert found["job.posted"][0].startswith("a key ")
    assert found["job.posted"][1] == "Pipe Welder welder-1"
    assert found["account.disabled"] == (f"admin {accounts['admin']}", f"operator {accounts['operator']}")
    assert found["person.viewed"] == (f"recruiter {accounts['recruiter']}", "me")
    assert found["recommendations.served"] == (f"seeker {accounts['seeker']}", "me")
    for personal in ("marla", "testfield", "columbus", "nightly"):
        assert personal not in operator.text.lower()


def test_operator_sees_imports_exposure_and_runs(site, tmp_path):
    seeker_with_resume(site)
    site.client.app.state.service.afterwards.flush()
    with site.store.write(site.tenant) as rows:
        made = rows.imports.start("jobs")
        rows.imports.count(made.id, 3, 0, [Refusal(2, "title: is missing")])
        rows.imports.end(made.id, "done")
    folder = tmp_path / "home" / "runs" / "first-run"
    folder.mkdir(parents=True)
    about = {"segment": "all", "metric": "map", "users": 9}
    rows = [
        about | {"model": model, "k": k, "value": value * k / 10, "low": value * k / 11, "high": value * k / 9}
        for model, value in (("popularity", 0.1), ("ranker", 0.3))
        for k in (5, 10)
    ]
    meta = {"dataset": "town", "protocol": "temporal", "k": 10, "seed": 0}
    (folder / "metrics.json").write_text(json.dumps({"rows": rows, "meta": meta}))
    operator = site.signed_in("operator")
    assert "Gini" in operator.text
    models = [one.text() for one in operator.page.css("[aria-labelledby=run-1] tbody th")]
    assert models == ["ranker", "popularity"]
    image = operator.client.get(operator.page.css_first("figure img").attributes["src"])
    assert image.headers["content-type"] == "image/svg+xml"
    assert "default-src 'none'" in image.headers["content-security-policy"]
    assert "<script" not in image.text
    operator.open(
        next(one for one in operator.page.css("table a") if "/import" in one.attributes["href"]).attributes["href"]
    )
    assert "title: is missing" in operator.text
    operator.open("/import?id=nothing", 404)


def test_folded_reposts_are_named(site):
    site.post(
        "nurse-2",
        "Registered Nurse",
        "<p>We hire a nurse for <b>patient assessment</b>. Wound care is a plus.</p>",
        "Columbus",
        "OH",
    )
    visitor = seeker_with_resume(site)
    assert visitor.jobs().count("Registered Nurse") == 1
    card = next(one for one in visitor.page.css("ol.jobs > li") if "Registered Nurse" in one.text())
    assert "Posted 1 more time" in card.text()


def test_static_files_are_kept_and_nothing_else_is_there(site):
    for name, kind in (("metier.css", "text/css"), ("metier.js", "javascript"), ("metier.svg", "image/svg+xml")):
        answer = site.client.get(f"/static/{name}")
        assert answer.status_code == 200
        assert kind in answer.headers["content-type"]
        assert answer.headers["cache-control"] == "max-age=3600"
        assert "http" not in answer.text.replace("http://www.w3.org/2000/svg", "")
    for name in ("../app.py", "%2e%2e/app.py", "nothing"):
        assert site.client.get(f"/static/{name}").status_code == 404


def test_pages_are_no_part_of_the_api_s_document(site):
    paths = site.client.get("/openapi.json").json()["paths"]
    assert not {route.path for route in ROUTES} & set(paths)


def test_visitor_finds_what_is_wrong(site):
    """The checker itself can fail."""
    with pytest.raises(AssertionError):
        Visitor(site.client)._arrived(site.client.get("/health/live"), 200)


def test_text_of_others_stays_text(site):
    """Every payload as posting, profile, condition and page to go on to; `check` looks at each answer."""
    for number, payload in enumerate(PAYLOADS):
        site.post(f"x-{number}", payload[:300], f"<p>nurse {payload}</p>", payload[:120], payload[:120], payload[:120])
    visitor = seeker_with_resume(site)
    for start in range(0, len(PAYLOADS), 40):
        text, titles = (
            " ".join(PAYLOADS[start : start + 40]),
            "\n".join(one[:120] for one in PAYLOADS[start : start + 40]),
        )
        visitor.open("/profile").send("/profile", {"text": text, "titles": titles, "wishes": text[:2000]})
    visitor.open("/jobs?k=200")
    assert len(visitor.jobs()) > 100
    recruiter = site.signed_in("recruiter")
    for number, payload in enumerate(PAYLOADS):
        recruiter.open(f"/job?id=x-{number}")
        assert " ".join(recruiter.page.css_first("h1").text().split()) == " ".join(payload[:300].split())
        recruiter.open(f"/sign-in?{urlencode({'next': payload})}")
        query = urlencode({"salary_min": payload, "employer": "Nobody", "words": payload[:120], "done": payload})
        visitor.open(f"/jobs?{query}", 422)
        assert visitor.form("/jobs").css_first("#salary_min").attributes["value"] == payload.strip()
    for number in range(0, len(PAYLOADS), 20):
        visitor.open(f"/job?id=x-{number}")
    recruiter.open("/postings")
    while recruiter.page.css_first('a[href^="/postings?cursor"]'):
        recruiter.open(recruiter.page.css_first('a[href^="/postings?cursor"]').attributes["href"])
