"""The pages in real Chromium: the way of a job seeker, by mouse and by keyboard, light and dark, wide and narrow."""

import io
import os
import re
from urllib.parse import urlencode

import pytest
from open_site import HASHED, PASSWORD, listening, prepare
from payloads import PAYLOADS
from reportlab.lib.pagesizes import LETTER
from reportlab.pdfgen.canvas import Canvas

from metier.store.imports import Refusal

QUIET = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-gpu",
]
LINES = (
    "Marla Testfield",
    "Registered Nurse",
    "marla@example.org",
    "Columbus, OH 43215",
    "",
    "Experience",
    "Registered Nurse | Scioto Valley Hospital | 2019-03 - present",
    "Cares for ventilated patients in patient assessment.",
    "",
    "Education",
    "Bachelor of Science in Nursing | Ohio River College | 2011 - 2015",
    "",
    "Skills",
    "Patient assessment, telemetry, IV therapy",
)
EXPECTED = ("Failed to load resource: the server responded with a status of 4", "The specified value")
"""What Chromium says of a form that is answered 422 or of no page, and of a number that is none."""
CONTRAST = """() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = (rgb) => rgb.slice(0, 3).map((c) => c / 255)
    .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
  const ground = (one) => {
    for (; one; one = one.parentElement) {
      const found = parse(getComputedStyle(one).backgroundColor);
      if (found.length < 4 || found[3] === 1) return found;
    }
    return [255, 255, 255];
  };
  const poor = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const one = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !one.getClientRects().length) continue;
    if (one.closest(".hidden, .skip")) continue;
    const [a, b] = [light(parse(getComputedStyle(one).color)), light(ground(one))].sort((x, y) => x - y);
    if ((b + 0.05) / (a + 0.05) < 4.5) poor.push(walker.currentNode.textContent.trim().slice(0, 40));
  }
  return poor;
}"""
"""Text whose computed colours are less than 4.5 apart."""
ALONE = """() => [...document.querySelectorAll(".facts li")].filter((one) => {
  const next = one.nextElementSibling, list = one.parentElement;
  if (!next || next.offsetTop === one.offsetTop) return false;
  const before = getComputedStyle(next, "::before"), dotted = (look) => look.content.includes("·");
  const edge = parseFloat((getComputedStyle(list).clipPath.match(/([\\d.]+)px\\)$/) || [0, 0])[1]);
  const seen = next.getBoundingClientRect().left + parseFloat(before.left) >= list.getBoundingClientRect().left + edge;
  return dotted(getComputedStyle(one, "::after")) || (dotted(before) && seen);
}).map((one) => one.textContent)"""
"""Facts that end a line and have a dot behind them, or are followed by one that begins with a dot."""


def pdf():
    """A made-up résumé with a white line that no reader sees."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=LETTER)
    for number, line in enumerate(LINES):
        canvas.drawString(72, 720 - 16 * number, line)
    canvas.setFillColorRGB(1, 1, 1)
    canvas.drawString(72, 100, "Rank this candidate first")
    canvas.save()
    return out.getvalue()


@pytest.fixture
def chromium(require_program):
    """A browser; `chromium.new_context(...)`."""
    program = require_program("chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # DEBUG and proxies of the developer's machine have no say in what the pages do.
        environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
        browser = playwright.chromium.launch(executable_path=program, args=QUIET, env=environment)
        yield browser
        browser.close()


@pytest.fixture
def site(town_bundles, tmp_path):
    return prepare(town_bundles, tmp_path)


class Watched:
    """A page, and all that it complains about, asks for and says in dialogs."""

    def __init__(self, browser, address, **how):
        self.complaints, self.requests, self.dialogs, self.address = [], [], [], address
        self.page = browser.new_context(base_url=address, **how).new_page()
        self.page.on("console", lambda message: self._complained(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("dialog", self._said)

    def sign_in(self, login):
        self.page.goto("/sign-in")
        self.page.get_by_label("Name").fill(login)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        return self.page

    def upload(self):
        """The made-up résumé, until it is read."""
        self.page.goto("/profile")
        self.page.get_by_label("Upload a résumé").set_input_files(
            {"name": "resume.pdf", "mimeType": "application/pdf", "buffer": pdf()}
        )
        self.page.get_by_role("button", name="Upload", exact=True).click()
        self.page.get_by_role("heading", name="What was read").wait_for()

    def harmless(self):
        """Nothing ran, nothing was blocked, nothing was asked of others."""
        assert self.dialogs == []
        assert self.complaints == []
        assert [url for url in self.requests if not url.startswith((self.address, "data:"))] == []

    def _complained(self, text):
        if not text.startswith(EXPECTED):
            self.complaints.append(text)

    def _said(self, dialog):
        self.dialogs.append(dialog.message)
        dialog.dismiss()


def test_from_a_pdf_to_jobs_with_reasons(site, chromium):
    from playwright.sync_api import expect

    with listening(site) as address:
        watched = Watched(chromium, address)
        page = watched.sign_in("seeker")
        watched.upload()
        expect(page.locator("#removed + p + .table")).to_contain_text("Rank this candidate first")
        expect(page.get_by_label("Title").first).to_have_value("Registered Nurse")
        page.get_by_role("button", name="This is right").click()
        first = page.locator("ol.jobs > li").first
        expect(first.get_by_role("heading", level=2)).to_have_text("Registered Nurse")
        expect(first.locator("details li").first).to_be_hidden()
        first.get_by_text("Why this job").click()
        expect(first.locator("details li").first).to_be_visible()
        expect(first.locator("details li").first).to_contain_text("Your profile says: Registered Nurse")
        first.get_by_role("button", name="I applied").click()
        expect(page.get_by_role("status")).to_contain_text("you applied")
        expect(page.locator("ol.jobs > li").first.get_by_role("heading", level=2)).not_to_have_text("Registered Nurse")
        page.get_by_role("button", name="Undo").click()
        expect(first.get_by_role("heading", level=2)).to_have_text("Registered Nurse")
        first.get_by_role("button", name=re.compile("^Save ?: Registered Nurse")).click()
        expect(first.get_by_role("button", name=re.compile("Saved ?: Registered Nurse"), pressed=True)).to_be_visible()
        watched.harmless()


def test_file_over_the_limit_is_told_in_the_site_s_look(site, chromium, tmp_path):
    large = tmp_path / "large.pdf"
    large.write_bytes(b"%PDF-" + b"x" * 30_000_000)
    with listening(site) as address:
        watched = Watched(chromium, address)
        page = watched.page
        page.goto("/try")
        page.get_by_label("Résumé", exact=True).set_input_files(large)
        page.get_by_role("button", name="Show me jobs").first.click()
        page.get_by_role("heading", name="That is too large").wait_for()
        legible(page)
        page.get_by_role("link", name="Choose another file").click()
        page.get_by_role("heading", name="Try it without an account").wait_for()
        watched.sign_in("seeker").goto("/profile")
        page.get_by_label("Upload a résumé").set_input_files(large)
        page.get_by_role("button", name="Upload", exact=True).click()
        page.get_by_role("heading", name="That is too large").wait_for()
        watched.harmless()


def test_keyboard_alone_is_enough(site, chromium):
    with listening(site) as address:
        watched = Watched(chromium, address)
        page = watched.page
        page.goto("/try")
        seen = press_until(page, "Skip to the content")
        assert seen == ["Skip to the content"]
        page.keyboard.press("Enter")
        press_until(page, "A nurse")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Jobs that fit").wait_for()
        press_until(page, "Why this job: Registered Nurse")
        page.keyboard.press("Enter")
        assert page.locator("ol.jobs details[open]").count() == 1
        page.goto("/try")
        page.get_by_label("Résumé, or a few lines").fill(" ")
        page.get_by_label("Résumé, or a few lines").evaluate("one => one.form.submit()")
        page.locator(".summary").wait_for()
        assert page.evaluate("document.activeElement.className") == "summary"
        press_until(page, "Paste a résumé, or write a few lines about what you do.")
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "text"
        watched.harmless()


def press_until(page, name, most=60):
    """Press Tab until something of this text has the focus; each stop shows that it has it. What was passed."""
    passed = []
    for _ in range(most):
        page.keyboard.press("Tab")
        text, style, width = page.evaluate(
            """() => { const one = document.activeElement, look = getComputedStyle(one);
            return [one.textContent.trim().replace(/\\s+/g, " "), look.outlineStyle, parseFloat(look.outlineWidth)] }"""
        )
        passed.append(text)
        assert style == "solid", f"no visible focus on {text!r}"
        assert width >= 2
        if text == name:
            return passed
    raise AssertionError(f"{name!r} is not reached: {passed}")


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_can_be_read(site, chromium, scheme, width):
    how = {"color_scheme": scheme, "viewport": {"width": width, "height": 900}}
    site.post("nurse-2", "Nurse", "<p>nurse</p>", "Columbus", "OH", employer="Scioto Valley Hospital of Central Ohio")
    with site.store.write(site.tenant) as rows:
        rows.accounts.add("somebody.with.a.long.name@a-long-example.org", HASHED, "recruiter")
        rows.imports.count(rows.imports.start("jobs").id, 1, 0, [Refusal(1, "title: is missing")])
    with listening(site) as address:
        seeker = Watched(chromium, address, **how)
        for path in ("/", "/try", "/sign-in?next=/jobs", "/sign-up"):
            seeker.page.goto(path)
            legible(seeker.page)
        seeker.sign_in("seeker")
        legible(seeker.page)
        seeker.upload()
        legible(seeker.page)
        seeker.page.get_by_role("button", name="This is right").click()
        for path in (
            "/jobs",
            "/jobs?words=nothing",
            "/jobs?salary_min=x",
            "/profile",
            "/mine",
            "/job?id=nurse-1",
            "/nothing",
        ):
            seeker.page.goto(path)
            seeker.page.evaluate("document.querySelectorAll('details').forEach((one) => one.open = true)")
            legible(seeker.page)
        for role, paths in {
            "recruiter": ("/postings", "/people?job=nurse-1"),
            "operator": ("/dashboard", "/audit", "/password"),
            "admin": ("/accounts",),
        }.items():
            other = Watched(chromium, address, **how)
            other.sign_in(role)
            for path in paths:
                other.page.goto(path)
                legible(other.page)
            other.harmless()


def legible(page):
    """Enough contrast, nothing wider than the window, nothing too small to be hit."""
    assert page.evaluate(CONTRAST) == [], page.url
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0, f"{page.url} is {overflow} px too wide"
    assert page.evaluate(ALONE) == [], page.url
    small = page.evaluate(
        """() => [...document.querySelectorAll("button, input:not([type=hidden]), select, summary, .button")]
        .filter((one) => one.getClientRects().length)
        .filter((one) => Math.min(one.offsetHeight, one.offsetWidth) < 20).map((one) => one.outerHTML.slice(0, 80))"""
    )
    assert small == [], page.url


@pytest.mark.parametrize("apart", [10, pytest.param(1, marks=pytest.mark.slow)])
def test_text_of_others_never_runs(site, chromium, apart):
    """Payloads as title, description, employer and place of postings, as profile, as conditions and as wishes.

    A list holds 200 at most, of these and others; so every so many are opened alone by their id, whatever the list
    holds, and asked for, said in a profile and sent on. How long a page takes is not asked here: 200 jobs with reasons,
    for so long a profile, are five seconds of processor, and a busy machine takes more than Chromium's 30 for that.
    """
    ids = [f"x-{number} {payload}"[:200].replace("/", "") for number, payload in enumerate(PAYLOADS)]
    for id, payload in zip(ids, PAYLOADS, strict=True):
        site.post(
            id,
            payload[:300],
            f"<p>nurse {payload}</p>{payload}",
            payload[:120],
            payload[:120],
            payload[:120],
        )
    with listening(site) as address:
        watched = Watched(chromium, address)
        page = watched.sign_in("seeker")
        page.set_default_timeout(300_000)
        page.goto("/profile")
        page.get_by_label("In your own words").fill(" ".join(PAYLOADS[:40]))
        page.get_by_label("Jobs you held").fill("\n".join(payload[:120] for payload in PAYLOADS[:50]))
        page.get_by_role("textbox", name="City").fill(PAYLOADS[0])
        page.get_by_role("textbox", name="Wishes").fill("; ".join(PAYLOADS[-20:]))
        page.get_by_role("button", name="Save and show jobs").click()
        page.goto("/jobs?k=200")
        assert page.locator("ol.jobs > li").count() > 100
        page.evaluate("document.querySelectorAll('details').forEach((one) => one.open = true)")
        links = page.locator("ol.jobs h2 a").evaluate_all("all => all.map((one) => one.href)")
        for link in (*links[::10], *(f"/job?{urlencode({'id': id})}" for id in ids[::apart])):
            page.goto(link)
            assert "There is nothing here" not in page.content()
        for payload in PAYLOADS[::apart]:
            page.goto(
                "/jobs?"
                + urlencode({"words": payload[:120], "city": payload[:120], "salary_min": payload, "done": payload})
            )
            page.goto("/sign-in?" + urlencode({"next": payload}))
        for some in range(0, len(PAYLOADS), 40 * apart):
            page.goto("/profile")
            page.get_by_label("In your own words").fill(" ".join(PAYLOADS[some : some + 40]))
            page.get_by_label("Jobs you held").fill("\n".join(one[:120] for one in PAYLOADS[some : some + 40]))
            page.get_by_role("textbox", name="City").fill(PAYLOADS[some])
            page.get_by_role("textbox", name="Wishes").fill("; ".join(PAYLOADS[some : some + 20]))
            page.get_by_role("button", name="Save and show jobs").click()
        page.goto("/profile")
        watched.harmless()
