"""The word of `--engine`, and what is said when it cannot be had."""

import socket

import psutil
import pytest

import metier.engine.dask
from metier.engine import open_engine
from metier.errors import MetierError, MissingExtraError, UsageError


@pytest.mark.parametrize(
    ("word", "workers", "why"),
    [
        ("spark", None, "no engine 'spark'; there are local, dask, tcp"),
        ("local", 0, "0 workers"),
        ("tcp://127.0.0.1:1", 2, "has its own workers; cure: leave --workers out"),
    ],
)
def test_a_wrong_word(word, workers, why):
    with pytest.raises(UsageError, match=why), open_engine(word, workers=workers):
        pass


def test_without_the_extra_the_cure_is_said(monkeypatch):
    monkeypatch.setattr(metier.engine.dask, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'metier\[dask\]'"), open_engine("dask"):
        pass


def test_a_scheduler_that_is_not_there(distributed, monkeypatch):
    import dask

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    with (
        dask.config.set({"distributed.comm.timeouts.connect": "300ms"}),
        pytest.raises(MetierError, match=r"no dask scheduler answers at .* cure: start one"),
        open_engine(address),
    ):
        pass


def test_a_cluster_is_joined_and_listens_on_loopback_only(distributed):
    with open_engine("dask", workers=2) as own:
        me = psutil.Process()
        family = [me, *me.children(recursive=True)]
        listening = [c.laddr.ip for one in family for c in one.net_connections("tcp") if c.status == "LISTEN"]
        assert listening
        assert set(listening) == {"127.0.0.1"}
        with open_engine(own._client.scheduler.address) as joined:
            assert joined.workers == 2
