"""83 real résumés drawn as PDF, DOCX and scan: the words come back, and what is recognised stands in the text."""

from importlib.util import find_spec
from statistics import mean

import pytest
from rendered import ANNA, docx_of, pdf_of, real_resumes, recall, scan_of

from metier.errors import MissingExtraError
from metier.sources.documents.limits import Limits
from metier.sources.documents.reading import read_document
from metier.sources.documents.recognise import candidate
from metier.sources.documents.worker import parse


def recovered(render, texts: list[str]) -> list[float]:
    """Token recall of each text, read in this process by the functions that the child process calls."""
    shares = []
    for text in texts:
        answer = parse(render(text), Limits())
        assert answer["document"]["hidden"] == []
        shares.append(recall(answer["document"]["text"], text))
    print(f"{render.__name__}: mean {mean(shares):.4f}, least {min(shares):.4f} of {len(shares)}")
    return shares


@pytest.mark.parametrize("render", [pdf_of, docx_of])
def test_words_come_back(render):
    assert min(recovered(render, real_resumes()[::6])) >= 0.98


@pytest.mark.slow
@pytest.mark.parametrize("render", [pdf_of, docx_of])
def test_words_of_every_resume_come_back(render):
    assert min(recovered(render, real_resumes())) >= 0.98


@pytest.mark.parametrize("render", [pdf_of, docx_of])
def test_words_come_back_through_the_child(render):
    text = real_resumes()[0]
    document = read_document(render(text))
    assert recall(document.text, text) >= 0.98
    assert (document.how, document.hidden) == ("text layer", ())


def scanned(texts: list[str]) -> list[float]:
    return [recall(read_document(scan_of(text)).text, text) for text in texts]


def test_words_of_a_scan_come_back(require_program):
    require_program("tesseract")
    shortest = sorted(real_resumes(), key=len)[10:13]
    shares = scanned(shortest)
    assert mean(shares) >= 0.95, shares


def test_scan_without_tesseract(monkeypatch):
    if find_spec("rapidocr") is None or find_spec("onnxruntime") is None:
        pytest.skip("the extra [ocr] is not installed")
    monkeypatch.setattr("shutil.which", lambda name: None)
    document = read_document(scan_of(ANNA))
    assert document.how == "OCR"
    assert recall(document.text, ANNA) >= 0.9


def test_scan_without_any_ocr(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"metier\[ocr\]"):
        read_document(scan_of("Anna"))


@pytest.mark.slow
def test_words_of_every_scan_come_back(require_program):
    require_program("tesseract")
    shares = scanned(real_resumes())
    print(f"scans: mean {mean(shares):.4f}, least {min(shares):.4f} of {len(shares)}")
    assert mean(shares) >= 0.95, sorted(shares)[:5]
    assert min(shares) >= 0.85, sorted(shares)[:5]


def test_what_is_recognised_stands_in_the_text():
    found = {"title or headline": 0, "employer": 0, "degree": 0, "skills": 0}
    texts = real_resumes()
    for text in texts:
        resume = candidate(text)
        line = " ".join(text.split())
        for value in stated(resume.model_dump(exclude={"work": {"__all__": {"start", "end"}}})):
            assert " ".join(value.split()) in line
        found["title or headline"] += bool(resume.titles or resume.headline)
        found["employer"] += any(job.employer for job in resume.work)
        found["degree"] += any(course.degree for course in resume.education)
        found["skills"] += bool(resume.skills)
    print(found, "of", len(texts))
    assert min(found["employer"], found["degree"]) >= 0.8 * len(texts)
    assert min(found["title or headline"], found["skills"]) >= 0.75 * len(texts)


def stated(value):
    """All texts of a record, dates of education apart."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, part in value.items():
            if key not in ("start", "end"):
                yield from stated(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from stated(part)
