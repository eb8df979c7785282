"""`metier read`: résumé documents -> text, a record, or JSON Resume."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from metier.cli.terminal import Json, note, print_json, print_table
from metier.errors import DataRejectedError, MetierError, UsageError

if TYPE_CHECKING:
    from metier.sources.candidate import Candidate
    from metier.sources.documents.document import Document


def read(
    files: Annotated[list[Path], typer.Argument(help="PDF, DOCX, ODT, RTF, HTML, text, JSON Resume, PNG or JPEG.")],
    text: Annotated[bool, typer.Option("--text", help="The text a reader sees instead of the record.")] = False,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for one file each: NAME.json, a JSON Resume, or NAME.txt.")
    ] = None,
    as_json: Json = False,
) -> int:
    """Read résumés: contact, jobs, education, skills, languages. Text that no reader sees is left out and shown."""
    from metier.sources.documents.reading import read_document
    from metier.sources.documents.recognise import candidate_of
    from metier.sources.json_resume import to_json_resume

    if text and as_json:
        raise UsageError("--text and --json exclude each other; cure: leave one out")
    if out is not None:
        _refuse_equal_names(files)
    resumes, failure = [], 0
    for path in files:
        try:
            document = read_document(path)
            resume = None if text else candidate_of(document)
        except (MetierError, OSError) as error:
            reason = _reason(path, error)
            if len(files) == 1:
                raise DataRejectedError(reason) from error
            note(reason)
            failure = DataRejectedError.exit_code
            continue
        _note(path, document)
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
            content = document.text if resume is None else _dumped(to_json_resume(resume))
            target = out / f"{path.name}.{'txt' if resume is None else 'json'}"
            target.write_text(content + "\n", encoding="utf-8")
            print(target)
        elif resume is None:
            print(document.text)
        elif as_json:
            resumes.append(to_json_resume(resume))
        else:
            _show(path, document, resume)
    if as_json and out is None:
        print_json(resumes[0] if len(files) == 1 else resumes)
    return failure


def _reason(path: Path, error: MetierError | OSError) -> str:
    """Why a file was not read, beginning with its name."""
    if path.is_dir():
        return f"{path}: is a folder; cure: name the résumés in it, {path}/*"
    if isinstance(error, OSError):
        return f"{path}: {error.strerror or type(error).__name__}; cure: the path of a file that you may read"
    said = str(error)
    return said if said.startswith(path.name) else f"{path.name}: {said}"


def visible(path: Path) -> "Document":
    """A document with the text that a reader sees; what was left out is noted on stderr.

    Raises
    ------
    DataRejectedError : as `read_document`; UsageError : there is no such file.
    """
    from metier.sources.documents.reading import read_document

    if not path.is_file():
        raise UsageError(f"no file {path}; cure: the path of a résumé (PDF, DOCX, ODT, RTF, HTML, text, scan)")
    document = read_document(path)
    _note(path, document)
    return document


def _refuse_equal_names(files: list[Path]) -> None:
    """UsageError where two files would be written to one NAME."""
    first: dict[str, Path] = {}
    for path in files:
        if first.setdefault(path.name, path).resolve() != path.resolve():
            raise UsageError(
                f"{first[path.name]} and {path} would both be written as {path.name}; cure: one call with its own "
                "--out for each folder"
            )


def _dumped(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _note(path: Path, document: "Document") -> None:
    """What the reader did with the document, on stderr and without its text."""
    for reason, characters in document.hidden_counts.items():
        note(f"{path.name}: left out {characters} characters that no reader sees ({reason})")
    for remark in document.notes:
        note(f"{path.name}: {remark}")


def _show(path: Path, document: "Document", resume: "Candidate") -> None:
    print_table(["field", "value"], _facts(resume), title=f"{path.name}: {document.kind}, {document.how}")
    for name, entries in (("work", resume.work), ("education", resume.education)):
        if entries:
            columns = [column for column in type(entries[0]).model_fields if column != "summary"]
            print_table(columns, [[getattr(entry, column) for column in columns] for entry in entries], title=name)
    if document.hidden:
        print_table(["why no reader sees it", "text left out"], [[part.reason, part.text] for part in document.hidden])


def _facts(resume: "Candidate") -> list[list[str]]:
    facts = {
        **resume.contact.model_dump(),
        "headline": resume.headline,
        "summary": resume.summary,
        "skills": ", ".join(resume.skills),
        "languages": ", ".join(resume.languages),
    }
    return [[name, value] for name, value in facts.items() if value]
