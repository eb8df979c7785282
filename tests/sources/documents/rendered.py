"""Résumés as files: the real texts, and text drawn as PDF, DOCX and a scan."""

import io
import re
import unicodedata
from collections import Counter
from pathlib import Path

import docx
import polars as pl
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import simpleSplit
from reportlab.pdfgen.canvas import Canvas

FILE = Path(__file__).parents[4] / "shared" / "data" / "texts" / "resumes.csv.gz"
ANNA = """Anna Example
Software Engineer
anna@example.org | (212) 555-0123 | New York, NY 10001

Summary
Engineer who likes plain code and short meetings.

Experience
Senior Software Engineer, Example Systems Ltd, Jan 2019 - Present
• Moved the billing service to PostgreSQL.
• Led four engineers.
Web Developer
Sample Labs Inc
06/2015 - 12/2018
• Built shops in Python.

Education
Bachelor of Science in Computer Science, Sample University, 2015

Skills
Python, PostgreSQL, Linux, code review

Languages
English, German
"""


def real_resumes() -> list[str]:
    """The texts, without the traces of a wrong encoding: what is not ASCII was a bullet, a dash or a quote."""
    if not FILE.exists():
        pytest.skip("the real résumés are not here (../shared/data/texts)")
    texts = pl.read_csv(FILE)["Resume"].to_list()
    return [re.sub(r"[^\n\x20-\x7e]+", " - ", re.sub(r"\r\n?|\t", "\n", text)) for text in texts]


def pdf_of(text: str) -> bytes:
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=A4)
    pages = _pages(_wrapped(text), 62)
    for lines in pages:
        drawn = canvas.beginText(50, A4[1] - 50)
        drawn.setFont("Helvetica", 10)
        drawn.textLines("\n".join(lines))
        canvas.drawText(drawn)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def docx_of(text: str) -> bytes:
    document = docx.Document()
    for line in text.split("\n"):
        document.add_paragraph(line)
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def scan_of(text: str, dpi: int = 180) -> bytes:
    """One tall grey PNG: letters of 10 points, a little blurred, on paper that is not quite white."""
    lines, height = _wrapped(text), dpi // 5
    paper = Image.new("L", (A4_INCHES * dpi // 100, height * (len(lines) + 4)), 248)
    letters = ImageFont.truetype("DejaVuSans.ttf", 10 * dpi // 72)
    draw = ImageDraw.Draw(paper)
    for number, line in enumerate(lines):
        draw.text((dpi // 2, height * (number + 2)), line, font=letters, fill=20)
    file = io.BytesIO()
    paper.filter(ImageFilter.GaussianBlur(0.5)).save(file, "PNG")
    return file.getvalue()


A4_INCHES = 950
"""Hundredths of an inch: the width of the scan, for lines as long as those of the PDF in a wider type."""


def recall(found: str, wanted: str) -> float:
    """Share of the wanted words, each as often as it stands there, that were found."""
    have, want = _words(found), _words(wanted)
    return (have & want).total() / want.total()


def _words(text: str) -> Counter[str]:
    return Counter(re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold()))


def _wrapped(text: str) -> list[str]:
    return [part for line in text.split("\n") for part in simpleSplit(line, "Helvetica", 10, 480) or [""]]


def _pages(lines: list[str], size: int) -> list[list[str]]:
    return [lines[first : first + size] for first in range(0, len(lines), size)]
