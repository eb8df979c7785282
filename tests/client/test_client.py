"""The client: written from the document, light, patient, and safe to repeat."""

import json
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from metier.client import ApiError, Client, transport

REPOSITORY = Path(__file__).parents[2]
DOCUMENT = REPOSITORY / "docs" / "reference" / "openapi.json"
PROBLEM = {
    "type": "urn:metier:problem:unprocessable-content",
    "title": "Unprocessable Content",
    "status": 422,
    "detail": "The request does not fit its schema.",
    "instance": "abc",
    "errors": [{"where": "body.k", "message": "too large"}],
}


class Service:
    """Answers in turn, the last one for ever, and what it was asked."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), []

    def __call__(self, request):
        request.read()
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def client(self, **how):
        return Client("http://metier.test", "metier_x", transport=httpx2.MockTransport(self), **how)

    def header(self, name):
        return [request.headers.get(name) for request in self.asked]


@pytest.fixture
def slept(monkeypatch):
    """Seconds that were waited, without waiting."""
    waits = []
    monkeypatch.setattr(transport.time, "sleep", waits.append)
    return waits


def json_of(value, status=200, **headers):
    return httpx2.Response(status, json=value, headers=headers)


def busy(status=503, seconds="2"):
    return json_of({"status": status, "title": "busy"}, status, **{"Retry-After": seconds})


@pytest.mark.parametrize("name", ["answers.py", "bodies.py", "operations.py"])
def test_generated_files_are_those_of_the_document(tmp_path, name):
    subprocess.run([sys.executable, REPOSITORY / "tools" / "generate_client.py", DOCUMENT, tmp_path], check=True)
    kept = (REPOSITORY / "src" / "metier" / "client" / name).read_bytes()
    assert (tmp_path / name).read_bytes() == kept, f"src/metier/client/{name} is old; cure: make client"


def test_every_operation_is_a_method():
    paths = json.loads(DOCUMENT.read_text(encoding="utf-8"))["paths"]
    operations = {operation["operationId"] for verbs in paths.values() for operation in verbs.values()}
    public = {name for name in dir(Client) if not name.startswith("_")} - {"close"}
    assert public == operations


def test_it_needs_httpx2_and_nothing_else_of_metier():
    code = (
        "import sys; before = set(sys.modules); import httpx2; there = set(sys.modules); import metier.client; "
        "print(*set(sys.modules) - there)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    new = {name for name in done.stdout.split() if name.partition(".")[0] not in sys.stdlib_module_names}
    assert new == {f"metier{part}" for part in ("", *(f".client{one}" for one in PARTS))}


PARTS = ("", ".answers", ".bodies", ".operations", ".transport")


def test_a_problem_is_an_exception_with_its_fields():
    with Service(json_of(PROBLEM, 422)).client() as client, pytest.raises(ApiError) as caught:
        client.get_candidates("j1", k=999)
    error = caught.value
    assert {name: getattr(error, name) for name in PROBLEM} == PROBLEM
    assert str(error) == "422: The request does not fit its schema.; body.k: too large (request abc)"


def test_what_a_proxy_says_is_a_problem_too():
    with Service(httpx2.Response(502, text="<html>")).client() as client, pytest.raises(ApiError, match="Bad Gateway"):
        client.is_live()


@pytest.mark.parametrize("status", [429, 503])
def test_it_waits_as_long_as_it_is_told_and_a_bounded_number_of_times(slept, status):
    service = Service(busy(status, "3"), busy(status, "5"), json_of({"accepted": 1}, 201))
    assert service.client().record_event({"kind": "viewed", "person": "p", "job": "j"}) == {"accepted": 1}
    assert slept == [3, 5]
    assert len(set(service.header("Idempotency-Key"))) == 1, "the same key each time"
    slept.clear()
    service = Service(busy(status))
    with pytest.raises(ApiError, match=f"{status}: busy"):
        service.client(attempts=3).get_person("p")
    assert (len(service.asked), slept) == (3, [2, 2])


@pytest.mark.parametrize(
    "ask",
    [
        lambda client: client.roll_back_model(),
        lambda client: client.create_key({"label": "x", "scopes": ["read"]}),
        lambda client: client.change_password({"present": "a", "new": "b"}),
        lambda client: client.erase_person("p"),
    ],
)
def test_what_a_repeat_could_harm_is_not_repeated_when_busy(slept, ask):
    """A proxy says 503 also after the service did what was asked; 429 comes before."""
    for status, asked in ((503, 1), (429, 3)):
        service = Service(busy(status))
        with pytest.raises(ApiError, match=f"{status}: busy"):
            ask(service.client(attempts=3))
        assert len(service.asked) == asked


@pytest.mark.parametrize("answer", [busy(seconds="61"), busy(seconds="soon"), json_of({}, 500, **{"Retry-After": "1"})])
def test_it_does_not_wait_for_ever_or_for_nothing(slept, answer):
    service = Service(answer)
    with pytest.raises(ApiError):
        service.client(patience=60).get_person("p")
    assert (len(service.asked), slept) == (1, [])


def test_every_call_has_a_key_of_its_own_where_the_service_knows_one():
    service = Service(json_of({"id": "x"}, 201))
    client = service.client()
    client.create_person({})
    client.create_job({"title": "Nurse"})
    client.record_event({"kind": "viewed", "person": "p", "job": "j"})
    client.upload_resume("p", b"cv")
    assert len(set(service.header("Idempotency-Key")) - {None}) == 4
    client.create_key({"label": "x", "scopes": ["read"]})
    client.get_person("p")
    assert service.header("Idempotency-Key")[4:] == [None, None]


def test_without_an_answer_only_what_does_no_harm_is_repeated(slept):
    lost = httpx2.ReadError("gone")
    for ask, repeats in (
        (lambda client: client.create_person({}), True),
        (lambda client: client.bulk_events([{"kind": "viewed", "person": "p", "job": "j"}]), True),
        (lambda client: client.replace_person("p", {}), True),
        (lambda client: client.create_key({"label": "x", "scopes": ["read"]}), False),
        (lambda client: client.withdraw_job("j"), False),
        (lambda client: client.change_password({"present": "a", "new": "b"}), False),
        (lambda client: client.reset_password("a", {"password": "b"}), True),
    ):
        service = Service(lost)
        with pytest.raises(ApiError, match="no answer") as caught:
            ask(service.client(attempts=3))
        assert (caught.value.status, caught.value.title) == (0, "ReadError")
        assert len(service.asked) == (3 if repeats else 1)
        service = Service(httpx2.Response(502, text="<html>"))
        with pytest.raises(ApiError, match="502"):
            ask(service.client(attempts=3))
        assert len(service.asked) == (3 if repeats else 1), "a proxy got no answer"


def test_pages_are_fetched_as_they_are_read():
    service = Service(
        json_of({"items": [{"id": 1}, {"id": 2}], "next": "a"}), json_of({"items": [{"id": 3}], "next": None})
    )
    people = service.client().list_people(limit=2)
    assert service.asked == []
    assert next(people) == {"id": 1}
    assert len(service.asked) == 1
    assert [one["id"] for one in people] == [2, 3]
    assert [str(request.url.query, "ascii") for request in service.asked] == ["limit=2", "limit=2&cursor=a"]


def test_bulk_is_sent_in_parts_as_it_is_made(monkeypatch):
    monkeypatch.setattr(transport, "LINES", 3)
    monkeypatch.setattr(transport, "BYTES", 100)
    made, service = [], Service(json_of({"accepted": 3}))

    def people():
        for number in range(7):
            made.append(len(service.asked))
            yield {"id": str(number)}
        yield {"id": "x" * 90}
        yield {"id": "y" * 10}

    assert service.client().bulk_people(people()) == [{"accepted": 3}] * 5
    assert made == [0, 0, 0, 0, 1, 1, 1], "what was made waits for no more than a part"
    bodies = [request.content for request in service.asked]
    assert [body.count(b"\n") for body in bodies] == [3, 3, 1, 1, 1]
    assert b"".join(bodies).count(b'{"id": "') == 9
    assert set(service.header("Content-Type")) == {"application/x-ndjson"}
    with pytest.raises(ValueError, match="JSON"):
        service.client().bulk_people([{"id": float("nan")}])
    assert service.client().bulk_people([]) == []


def test_ids_parameters_and_files_are_sent_as_they_are(tmp_path):
    service = Service(json_of({"items": []}))
    client = service.client()
    client.get_recommendations("a b/ü?", words=["x", "y"], remote=True, k=3)
    assert service.asked[0].url.raw_path == (
        b"/api/v1/people/a%20b%2F%C3%BC%3F/recommendations?remote=true&words=x&words=y&k=3"
    )
    assert service.header("Authorization") == ["Bearer metier_x"]
    (tmp_path / "cv.pdf").write_bytes(b"%PDF")
    client.upload_resume("a", tmp_path / "cv.pdf")
    assert b'name="file"; filename="cv.pdf"' in service.asked[1].content
    assert b"%PDF" in service.asked[1].content


def test_empty_and_plain_answers():
    assert Service(httpx2.Response(204)).client().withdraw_job("j") is None
    assert Service(httpx2.Response(200, text="metier_x 1")).client().get_metrics() == "metier_x 1"


def test_who_signed_in_sends_the_token_of_the_session():
    service = Service(json_of({"csrf": "t"}, 201, **{"Set-Cookie": "metier_session=s; Path=/"}), json_of({}))
    with service.client() as client:
        client.sign_in({"login": "ann", "password": "x"})
        client.create_job({"title": "Nurse"})
    assert service.header("X-CSRF-Token") == [None, "t"]
    assert service.header("Cookie") == [None, "metier_session=s"]
