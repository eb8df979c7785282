"""`metier doctor` is well here, and says what is not."""

import json

from metier.cli import doctor


def test_healthy(metier, tmp_path):
    ran = metier("doctor", "--json", "--home", tmp_path / "not" / "yet")
    report = json.loads(ran.out)
    assert ran.code == 0
    assert report["healthy"]
    names = {check["name"] for check in report["checks"]}
    assert {"python", "cores", "memory", "workspace", "disk", "numba threads", "blas", "extra torch"} <= names
    assert not (tmp_path / "not").exists()


def test_the_table_says_ok(metier):
    assert "compiled top-k" in metier("doctor").out


def test_workspace_that_cannot_be_made(metier, tmp_path):
    (tmp_path / "file").write_text("in the way")
    ran = metier("doctor", "--json", "--home", tmp_path / "file")
    assert ran.code == 1
    bad = [check["name"] for check in json.loads(ran.out)["checks"] if not check["fine"]]
    assert bad == ["workspace"]


def test_a_wrong_kernel_is_noticed(metier, monkeypatch):
    import metier.kernels.topk as topk

    monkeypatch.setattr(topk, "top_k", lambda scores, banned, allowed, tie, k: (tie[None, :k], scores[:1, :k]))
    checks = {check.name: check for check in doctor._libraries()}
    assert not checks["compiled top-k"].fine
