"""report.html in a real browser, light and dark: all there, nothing fetched, nothing complained about."""

import os

import pytest

from metier.data.workspace import Workspace

MODELS = ["popularity", "place", "item-knn"]
QUIET = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-gpu",
]


@pytest.fixture(scope="module")
def report(town_home):
    from metier.cli.app import run

    run(["evaluate", "town", "--models", ",".join(MODELS), "--as", "browser", "--home", str(town_home), "--json"])
    return Workspace(town_home).run("browser") / "report.html"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_report_opens(report, require_program, scheme):
    chromium = require_program("chromium")
    from playwright.sync_api import expect, sync_playwright

    other = {"light": "dark", "dark": "light"}[scheme]
    complaints, requests = [], []
    with sync_playwright() as playwright:
        # DEBUG and proxies of the developer's machine have no say in what the page does.
        browser = playwright.chromium.launch(
            executable_path=chromium, args=QUIET, env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
        )
        page = browser.new_page(color_scheme=scheme, viewport={"width": 1280, "height": 900})
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(report.as_uri())
        expect(page.locator("#models tbody tr")).to_have_count(len(MODELS))
        for name in MODELS:
            expect(page.locator("#models").get_by_role("rowheader", name=name)).to_be_visible()
        expect(page.locator(f"figure .{scheme} svg").first).to_be_visible()
        expect(page.locator(f"figure .{other}")).to_be_hidden()
        expect(page.get_by_text("nothing sampled")).to_be_visible()
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        ink = page.evaluate("getComputedStyle(document.body).color")
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        page.set_viewport_size({"width": 1200, "height": 900})
        page.locator("#models tbody th").first.evaluate("one => { one.firstChild.textContent = 'Nn'.repeat(18) }")
        table, frame = page.locator("#models").evaluate("one => [one.scrollWidth, one.parentElement.clientWidth]")
        browser.close()
    assert complaints == []
    assert [url for url in requests if not url.startswith(("file:", "data:"))] == []
    assert (brightness(background) > brightness(ink)) == (scheme == "light")
    assert overflow <= 0
    assert table <= frame, "the last column is cut, also of a model with a long name"


def brightness(colour: str) -> int:
    """Sum of the channels of "rgb(r, g, b)"."""
    return sum(int(channel) for channel in colour.removeprefix("rgb(").removesuffix(")").split(","))
