"""What the port and the terminal say while the first model is trained."""

import logging
import socket

import httpx2
import numpy as np
import pytest
from selectolax.lexbor import LexborHTMLParser
from visitor import check

from metier.cli import serve
from metier.cli.terminal import stages
from metier.errors import UsageError
from metier.features.assemble import assemble
from metier.models.registry import create
from metier.serve.getting_ready import check_free, getting_ready
from metier.serve.settings import Settings
from metier.testing.worlds import small_town


@pytest.fixture
def port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def asked(port, path, **how):
    return httpx2.request(how.pop("method", "GET"), f"http://127.0.0.1:{port}{path}", **how)


def test_alive_not_ready_and_a_page_that_names_the_stage(port):
    with getting_ready("127.0.0.1", port) as say:
        say("fitting <ials>")
        assert asked(port, "/health/live").json() == {"status": "ok"}
        for answer in (asked(port, "/health/ready"), asked(port, "/api/v1/events", method="POST", json={})):
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["title"] == "Service Unavailable"
        page = asked(port, "/jobs?words=nurse")
        assert (page.status_code, page.headers["retry-after"]) == (503, "10")
        check(page, LexborHTMLParser(page.text))
        assert len(page.headers.get_list("content-security-policy")) == 1, "a browser obeys both"
        assert "Now: fitting &lt;ials&gt;." in page.text
        assert asked(port, "/static/metier.css").status_code == 200
    with pytest.raises(httpx2.TransportError):
        asked(port, "/health/live")
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", port))  # free for the service itself


def test_a_port_that_is_taken_is_said_before_the_work(port):
    with (
        getting_ready("127.0.0.1", port),
        pytest.raises(UsageError, match=f"port {port}"),
        getting_ready("127.0.0.1", port),
    ):
        raise AssertionError("the work began")


def test_an_address_that_is_not_here_is_not_called_taken():
    check_free("127.0.0.1", 0)
    with pytest.raises(UsageError, match=r"192\.0\.2\.1.*(?<!in use); cure: "):
        check_free("192.0.2.1", 8000)


def test_first_start_without_a_model_says_what_it_does(tmp_path, monkeypatch, capsys, port):
    """One line a stage where stderr is no terminal; the port knows the last of them."""
    seen = []

    def train(*_):
        logging.getLogger("metier.models.ranker").info("ranker: fitting %s", "ials")
        seen.append(asked(port, "/").text)

    monkeypatch.setattr(
        "metier.cli.import_.store_market", lambda *_: seen.append(asked(port, "/health/ready").status_code)
    )
    monkeypatch.setattr("metier.cli.train.train_bundle", train)
    assert serve.newest_bundle(Settings(home=tmp_path, port=port, host="0.0.0.0")) == "demo"
    assert seen[0] == 503
    assert "Now: ranker: fitting ials." in seen[1]
    told = capsys.readouterr().err.splitlines()
    assert f"http://127.0.0.1:{port}" in told[0], "nobody may sign in yet, so it listens here only"
    assert [one.removeprefix("metier: ") for one in told[1:]] == [
        "no dataset: making a synthetic labour market of 4,000 people, the dataset demo",
        "training ranker on the dataset demo",
        "ranker: fitting ials",
    ]


def test_a_ranker_tells_its_stages(capsys):
    config = {"sources": ["rp3beta", "profile"], "cuts": 1, "rounds": 2}
    with stages():
        create("ranker", config).fit(assemble(small_town(), "newest").dataset, rng=np.random.default_rng(0))
    told = [one.removeprefix("metier: ranker: ") for one in capsys.readouterr().err.splitlines()]
    assert told[:3] == ["the market as it was, 1 of 1", "fitting rp3beta", "fitting profile"]
    assert told[3].startswith("learning the order from ")
    assert told[4:] == ["the market as it is", "fitting rp3beta", "fitting profile"]
    logging.getLogger("metier.models").info("nobody listens any more")
    assert capsys.readouterr().err == ""
