"""The embeddings endpoint: one vector a text, in order, and errors that hold neither text nor key."""

import json

import numpy as np
import pytest
from werkzeug import Request, Response

from metier.errors import ConfigError, ModelAnswerError, UsageError
from metier.features import endpoint
from metier.features.endpoint import EndpointEmbedder


def length_and_batch(request: Request) -> Response:
    """A vector of a text's length, sent in the wrong order."""
    texts = request.get_json()["input"]
    rows = [{"object": "embedding", "index": at, "embedding": [len(text), 1.0]} for at, text in enumerate(texts)]
    answer = {"object": "list", "model": "m", "data": rows[::-1], "usage": {"prompt_tokens": 1, "total_tokens": 1}}
    return Response(json.dumps(answer), content_type="application/json")


def test_vectors_come_back_in_order(httpserver):
    httpserver.expect_request("/v1/embeddings", method="POST").respond_with_handler(length_and_batch)
    texts = ["a", "", "bbb", "cc", " ", "d" * 50]
    found = EndpointEmbedder(httpserver.url_for("/v1"), "m", batch=2, longest=10).embed(texts)
    lengths = np.array([1, 0, 3, 2, 0, 10])
    expected = np.where(lengths > 0, lengths / np.sqrt(lengths**2 + 1), 0)
    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-6)
    assert found.dtype == np.float32
    assert len(httpserver.log) == 2


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ("no such model", 404, "NotFoundError, status 404"),
        (
            '{"object": "list", "data": [], "model": "m", "usage": {}}',
            200,
            "vectors of shape|holds no vectors|no vectors",
        ),
        ('{"oops": 1}', 200, "no vectors"),
    ],
)
def test_a_bad_answer_is_an_error_without_text_or_key(httpserver, monkeypatch, body, status, said):
    monkeypatch.setenv(endpoint.KEY, "sk-hidden")
    httpserver.expect_request("/v1/embeddings").respond_with_data(body, status, content_type="application/json")
    with pytest.raises(ModelAnswerError, match=said) as caught:
        EndpointEmbedder(httpserver.url_for("/v1"), "m").embed(["private words"])
    assert "private words" not in str(caught.value)
    assert "sk-hidden" not in str(caught.value)
    assert httpserver.log[0][0].headers["Authorization"] == "Bearer sk-hidden"


@pytest.mark.parametrize("url", ["ftp://x", "https://me:pass-word@host/v1", "https://host/v1?key=pass-word"])
def test_an_address_is_plain_and_never_shown_else(url):
    with pytest.raises(UsageError, match="the base URL must") as caught:
        EndpointEmbedder(url, "m")
    assert "pass-word" not in str(caught.value)


def test_the_key_goes_in_clear_only_to_this_machine(monkeypatch):
    EndpointEmbedder("http://10.0.0.1/v1", "m")
    monkeypatch.setenv(endpoint.KEY, "sk-hidden")
    EndpointEmbedder("https://10.0.0.1/v1", "m")
    EndpointEmbedder("http://127.0.0.1:1/v1", "m")
    with pytest.raises(ConfigError, match="in clear"):
        EndpointEmbedder("http://10.0.0.1/v1", "m")


def test_texts_do_not_follow_a_redirect(httpserver):
    httpserver.expect_request("/v1/embeddings").respond_with_data(
        "", 307, headers={"Location": httpserver.url_for("/elsewhere/embeddings")}
    )
    httpserver.expect_request("/elsewhere/embeddings").respond_with_handler(length_and_batch)
    with pytest.raises(ModelAnswerError, match="status 307"):
        EndpointEmbedder(httpserver.url_for("/v1"), "m").embed(["private words"])
    assert len(httpserver.log) == 1


def test_nothing_of_the_packages_own_variables_is_sent(httpserver, monkeypatch):
    for name in ("OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_API_KEY"):
        monkeypatch.setenv(name, "canary")
    httpserver.expect_request("/v1/embeddings").respond_with_handler(length_and_batch)
    EndpointEmbedder(httpserver.url_for("/v1"), "m").embed(["a"])
    headers = httpserver.log[0][0].headers
    assert "canary" not in str(headers)
    assert "Authorization" not in headers


def test_an_endless_answer_is_not_read_to_its_end(httpserver, monkeypatch):
    monkeypatch.setattr(endpoint, "LONGEST_BODY", 10)
    httpserver.expect_request("/v1/embeddings").respond_with_handler(length_and_batch)
    with pytest.raises(ModelAnswerError, match="holds no vectors"):
        EndpointEmbedder(httpserver.url_for("/v1"), "m").embed(["a"])
