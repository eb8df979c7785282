"""A browser without JavaScript, and what every page must be."""

import re
from itertools import pairwise

from selectolax.lexbor import LexborHTMLParser

FIELDS = "input:not([type=hidden]), select, textarea"
POLICY = {
    "default-src": "'none'",
    "style-src": "'self'",
    "script-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
}


class Visitor:
    """Opens pages and sends their forms; every page it meets is checked."""

    def __init__(self, client):
        self.client, self.answer, self.page = client, None, None

    def open(self, path, status=200):
        """Go to a page."""
        return self._arrived(self.client.get(path), status)

    def send(self, action, values=None, *, press=(), file=None, status=200, within=None):
        """Fill in and send the form of an action; of several the one with these fields that holds the text `within`."""
        form = self.form(action, within, values or (), press)
        sent = {**_typed(form), **(values or {}), **dict([press] if press else [])}
        sender = self.client.get if form.attributes.get("method") == "get" else self.client.post
        how = {"params": sent} if sender == self.client.get else {"data": sent}
        if file is not None:
            assert form.attributes.get("enctype") == "multipart/form-data"
            how["files"] = {"file": file if isinstance(file, tuple) else ("resume", file)}
        return self._arrived(sender(action, **how), status)

    def form(self, action, within=None, names=(), press=()):
        found = [one for one in self.page.css("form") if one.attributes.get("action") == action]
        found = [one for one in found if all(one.css_first(f'[name="{name}"]') for name in names)]
        if press:
            found = [one for one in found if one.css_first(f'button[name="{press[0]}"][value="{press[1]}"]')]
        found = [one for one in found if within is None or within in one.html]
        assert found, f"no form of {action} with {[*names, *press]} on {self.answer.url}"
        return found[0]

    @property
    def text(self):
        return " ".join(self.page.css_first("main").text(separator=" ").split())

    @property
    def path(self):
        return self.answer.url.path

    def jobs(self):
        """Titles of the list, in order."""
        return [" ".join(one.text().split()) for one in self.page.css("ol.jobs > li h2")]

    def _arrived(self, answer, status):
        assert answer.status_code == status, f"{answer.status_code} at {answer.url}: {answer.text[:2000]}"
        self.answer, self.page = answer, LexborHTMLParser(answer.text)
        check(answer, self.page)
        return self


def check(answer, page):
    """What can be said of any page: harmless to open, readable by a machine that reads it aloud."""
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert policy == POLICY
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert page.css_first("html").attributes["lang"] == "en"
    assert page.css_first("title").text().endswith(" – metier")
    assert len(page.css("main#main")) == len(page.css("h1")) == 1
    assert page.css_first("a.skip").attributes["href"] == "#main"
    for script in page.css("script"):
        assert script.attributes.get("src") == "/static/metier.js"
        assert not script.text().strip()
    assert not page.css("style, iframe, object, embed, base, [style], form:not([action])")
    for one in page.css("*"):
        assert not [name for name in one.attributes if name.startswith("on")], one.html[:200]
        for name in ("href", "src", "action"):
            target = one.attributes.get(name)
            scheme = re.match(r"\s*([a-z][a-z0-9+.-]*):", target or "", re.IGNORECASE)
            assert not scheme or scheme[1].lower() in ("http", "https", "mailto"), target
    _labelled(page)
    _structured(page)


def _labelled(page):
    ids = [one.attributes["id"] for one in page.css("[id]")]
    assert len(ids) == len(set(ids)), sorted(one for one in ids if ids.count(one) > 1)
    for field in page.css(FIELDS):
        own = page.css_first(f'label[for="{field.attributes["id"]}"]') or _above(field, "label")
        assert own is not None, field.html
        assert own.text().strip()
        for described in (field.attributes.get("aria-describedby") or "").split():
            assert described in ids, described
    for one in page.css("[aria-labelledby]"):
        assert one.attributes["aria-labelledby"] in ids
    for one in page.css("button, a[href]"):
        assert one.text().strip() or one.attributes.get("aria-label"), one.html
    for one in page.css("nav, progress"):
        assert one.attributes.get("aria-label")
    for one in page.css("img"):
        assert one.attributes.get("alt")
    for one in page.css(".summary a"):
        assert one.attributes["href"][1:] in ids, one.html


def _structured(page):
    levels = [int(one.tag[1]) for one in page.css("h1, h2, h3, h4, h5, h6") if not _above(one, "summary")]
    body = levels[levels.index(1) :]
    assert all(later - earlier <= 1 for earlier, later in pairwise(body)), levels
    for table in page.css("table"):
        assert table.css_first("caption").text().strip()
        assert all(one.attributes.get("scope") for one in table.css("th"))
    for fieldset in page.css("fieldset"):
        assert fieldset.css_first("legend").text().strip()


def _above(node, tag):
    while node is not None and node.tag != tag:
        node = node.parent
    return node


def _typed(form):
    """The fields of a form as they stand; buttons are not among them."""
    values = {}
    for one in form.css("input, select, textarea"):
        name, kind = one.attributes.get("name"), one.attributes.get("type")
        if one.tag == "textarea":
            values[name] = one.text().removeprefix("\n")
        elif one.tag == "select":
            chosen = one.css_first("option[selected]") or one.css_first("option")
            values[name] = chosen.attributes.get("value") or ""
        elif kind not in ("file", "checkbox") or "checked" in one.attributes:
            values[name] = one.attributes.get("value") or ""
    return values
