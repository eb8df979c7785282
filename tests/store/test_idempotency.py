"""Repeated requests: the first answer again, and nobody else's."""

import pytest

from metier.store.idempotency import Kept, KeyReusedError

CALL = ("ann", "key", "POST /people", "b1")
ANSWER = Kept(201, b'{"id":"p1"}')


def test_the_first_answer_comes_again(store, tenant, other):
    with store.write(tenant) as rows:
        assert rows.idempotency.find(*CALL) is None
        rows.idempotency.keep(*CALL, ANSWER, person="p1")
    with store.write(tenant) as rows:
        assert rows.idempotency.find(*CALL) == ANSWER
        assert rows.idempotency.find("bob", *CALL[1:]) is None
        assert rows.idempotency.find("ann", "another", *CALL[2:]) is None
    with store.write(other) as rows:
        assert rows.idempotency.find(*CALL) is None


@pytest.mark.parametrize("request_", [("POST /jobs", "b1"), ("POST /people", "b2")])
def test_another_request_with_the_same_key_is_refused(store, tenant, request_):
    with store.write(tenant) as rows:
        rows.idempotency.keep(*CALL, ANSWER, person=None)
        with pytest.raises(KeyReusedError, match="another request"):
            rows.idempotency.find("ann", "key", *request_)


def test_a_key_is_free_again_when_it_expires(store, tenant, clock):
    with store.write(tenant) as rows:
        rows.idempotency.keep(*CALL, ANSWER, person=None, lasting=10)
    clock.now += 10
    with store.write(tenant) as rows:
        assert rows.idempotency.find(*CALL) is None
        assert rows.idempotency.find(*CALL[:3], "b2") is None
        rows.idempotency.keep(*CALL, Kept(200, b"2"), person=None)
        assert rows.idempotency.find(*CALL) == Kept(200, b"2")


def test_work_that_failed_leaves_no_key(store, tenant, broken_off):
    broken_off(lambda rows: rows.idempotency.keep(*CALL, ANSWER, person=None))
    with store.read(tenant) as rows:
        assert rows.idempotency.find(*CALL) is None
