"""The page of the study comes out right whatever the kept files hold."""

import json
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


@pytest.fixture
def resume_page(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    import resume_page

    return resume_page


def mean(model, text, value, segment="all", seeds=1):
    row = {"model": model, "condition": text, "segment": segment, "people": 100, "seeds": seeds}
    return row | {
        "map": value,
        "low": value - 0.01,
        "high": value + 0.01,
        "between_seeds": None,
        "ndcg": 0.5,
        "mrr": 0.5,
    }


def contrast(model, a, b, difference, *, segment="all", p=0.001, name=None, other=None, half=0.01):
    return {
        "name": name or f"{a} − {b}",
        "model": model,
        "condition": a,
        "other_model": other or model,
        "other_condition": b,
        "segment": segment,
        "people": 100,
        "seeds": 1,
        "difference": difference,
        "low": difference - half,
        "high": difference + half,
        "p": p,
        "p_holm": p,
        "seen": 0.0123,
    }


def study(board="quickhire", means=(), contrasts=(), **grids):
    audit = {"condition": "interactive", "source": "rules", "people": 100, "without": 3, "seconds": 1.0}
    audit |= {"items": 50, "unsupported": 20, "rate": 0.4}
    return {
        "command": f"metier study resume {board} --as s",
        "written": "2026-01-02T03:04:05+00:00",
        "k": 25,
        "trials": 0,
        "cells": {"all": 9, "finished": 7},
        "seconds": 120.0,
        "failed": [{"dataset": board, "model": "afm", "condition": "raw", "seed": 0, "why": "in /a/folder"}],
        "left_out": {"lgir-sentences": "not installed"},
        "grids": {name.replace("_", "-"): {"models": models, "texts": []} for name, models in grids.items()},
        "datasets": {
            board: {
                "protocol": "temporal",
                "people": 100,
                "answers": ["said elsewhere"],
                "model": "fm",
                "means": list(means),
                "contrasts": list(contrasts),
                "seconds": [],
                "audits": [audit],
            }
        },
        "versions": {"metier": "0"},
        "machine": {"cores": 2},
    }


def helped(model, level, *, control=0.02, **settings):
    """Means and contrasts of a model that raw text helps by 0.03."""
    texts = {"none": level, "raw": level + 0.03, "raw-shuffled": level + 0.03 - control}
    rows = [mean(model, text, value) for text, value in texts.items()]
    return rows, [
        contrast(model, "raw", "none", 0.03, **settings),
        contrast(model, "raw", "raw-shuffled", control, **settings),
    ]


def answer(page, start):
    """The last cell of a question's row."""
    return next(line for line in page.splitlines() if line.startswith(f"| {start}")).split(" | ")[-1].rstrip(" |")


def test_nothing_kept_is_said(resume_page):
    page = resume_page.page({})
    assert "No result is kept that gives an answer" in page
    assert page.count("no result is kept |") == len(resume_page.QUESTIONS)
    assert "## Commands" not in page


@pytest.mark.parametrize(
    ("control", "p", "said"),
    [
        (0.02, 0.001, "yes"),
        (0.02, 0.04, "by its interval, not after Holm's correction"),
        (0.005, 0.001, "not shown"),
        (-0.02, 0.001, "no, it does harm"),
    ],
)
def test_a_text_must_beat_its_control(resume_page, control, p, said):
    means, contrasts = helped("ranker", 0.3, control=control, p=p)
    page = resume_page.page({"a.json": study(means=means, contrasts=contrasts, main=["ranker"])})
    assert answer(page, "Does text help the best model on quickhire") == said
    assert ("- quickhire: yes, with ranker" in page) == (said == "yes")
    assert ("- quickhire: by its intervals, not after Holm's" in page) == said.startswith("by its interval")
    assert "Only people are drawn again" in page
    assert "0.0123<br>0.0123" in page


def test_files_about_the_same_people_are_one_board(resume_page):
    """The best model is sought among all of them, over the texts that all have; Holm's correction counts all."""
    fm, of_fm = helped("fm", 0.1, p=0.02)
    ranker, of_ranker = helped("ranker", 0.3, p=0.02)
    fm = [*fm, mean("fm", "random", 0.9)]
    files = {
        "a.json": study(means=fm, contrasts=of_fm, main=["fm"]),
        "b.json": study(means=ranker, contrasts=of_ranker, main=["ranker"]),
        "c.json": study(
            means=[mean("fm", "none", 0.15, seeds=3) | {"between_seeds": 0.002}, mean("fm", "raw", 0.01)], main=["fm"]
        ),
    }
    (board,) = resume_page.boards(files.values())
    assert board.best() == "ranker"
    assert {one["p_holm"] for one in board.contrasts.values()} == {0.08}
    assert board.means["fm", "none", "all"]["map"] == 0.15
    assert board.means["fm", "raw", "all"]["map"] == pytest.approx(0.13)
    page = resume_page.page(files)
    assert page.count("## quickhire, temporal, 100 people") == 1
    assert "| fm | 1–3 | 0.1500 ± 0.0020 | 0.1300 | 0.1100 | 0.9000 |" in page
    assert "[c.json](../../benchmarks/study/c.json)" in page


def test_cold_people_lgir_and_fields_have_their_answers(resume_page):
    means, contrasts = helped("lgir", 0.3)
    means += [mean("lgir", "simple", 0.4), mean("lgir-no-gan", "raw", 0.2), mean("lgir-sentences", "raw", 0.2)]
    contrasts += [contrast("lgir", "simple", "raw", 0.02, segment="cold")]
    for segment, difference in (("all", 0.02), ("cold", 0.02), ("history 1", 0.001)):
        row = contrast(
            "lgir", "interactive", "raw", difference, segment=segment, name="LGIR − BASE", other="lgir-no-gan"
        )
        contrasts.append(row)
    market = study("market", means, contrasts, main=["lgir"], lgir=["lgir", "lgir-no-gan"], encoder=["lgir-sentences"])
    fields = [
        contrast("fm", "only person.degree", "ids alone", 0.02, p=0.01),
        contrast("fm", "everything", "without person", 0.001, p=0.9),
        contrast("fm", "only person.groups", "ids alone", 0.01, p=0.2),
        contrast("fm", "only job", "ids alone", 0.5),
    ]
    page = resume_page.page({"a.json": market, "b.json": study("scout", contrasts=fields)})
    assert answer(page, "Does a completed text help people of the market without") == "yes"
    lgir = [line for line in page.splitlines() if line.startswith("| Does LGIR beat")]
    assert [line.split(" | ")[-1] for line in lgir] == ["yes |", "not shown |"]
    beyond = [line.split(" | ") for line in page.splitlines() if line.startswith("| Do fields of people beyond ids")]
    assert [row[-1] for row in beyond] == ["not shown |", "yes |"]
    assert [row[1].partition(", everybody")[0] for row in beyond] == [
        "fm, everything − without person",
        "fm, only person.degree − ids alone",
    ]
    assert "| person.degree | fm | +0.0200 [+0.0100, +0.0300] * | – |" in page
    assert "| person | fm | – | +0.0010 [-0.0090, +0.0110] |" in page
    assert "The grid `encoder`" in page
    assert "| lgir-sentences | 1 | 0.2000 [0.1900, 0.2100] |" in page
    assert "| interactive | rules | 50 | 40.0% | 3 of 100 |" in page


def test_what_is_kept_prints_the_same_page(resume_page, tmp_path, monkeypatch, capsys):
    means, contrasts = helped("ranker", 0.3)
    means += [mean("ranker", text, 0.31, "cold") for text in ("none", "raw", "raw-shuffled")]
    means += [mean("ranker", "raw", 0.32, "history 1")]
    contrasts += [{**one, "segment": "cold"} for one in contrasts]
    contrasts += [
        contrast("fm", "only job", "ids alone", 0.5),
        contrast("fm", "only job", "ids alone", 0.7, segment="warm"),
    ]
    whole = study(means=means, contrasts=contrasts, main=["ranker"])
    elsewhere = whole | {"command": f"{whole['command']} --home '/a/b c' --seeds 1"}
    whole["command"] += " --seeds 1"
    (tmp_path / "study.json").write_text(json.dumps(elsewhere), encoding="utf-8")
    monkeypatch.setattr(resume_page, "KEPT", tmp_path / "kept")
    monkeypatch.setattr(sys, "argv", ["resume_page.py", "keep", str(tmp_path / "study.json"), "--as", "a"])
    resume_page.main()
    kept = (tmp_path / "kept" / "a.json").read_text(encoding="utf-8")
    assert "folder" not in kept
    assert "ndcg" not in kept
    assert "0.5" in kept
    assert "0.7" not in kept
    monkeypatch.setattr(sys, "argv", ["resume_page.py"])
    resume_page.main()
    assert capsys.readouterr().out == resume_page.page({"a.json": whole})
