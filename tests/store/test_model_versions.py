"""Models: one is live, and there is a way back."""

import pytest
import sqlalchemy as sa

from metier.errors import MetierError, UnknownIdError, UsageError
from metier.store.schema import models


def states(rows):
    return {one.version: one.state for one in rows.models.all()}


def test_one_model_is_live(store, tenant, clock):
    with store.write(tenant) as rows:
        assert rows.models.live() is None
        for version in ("a@1", "b@2"):
            assert rows.models.add(version, version[0]).state == "candidate"
        assert rows.models.promote("a@1", "root").state == "live"
        assert rows.models.promote("b@2", "root").before == "a@1"
        assert states(rows) == {"a@1": "retired", "b@2": "live"}
        assert rows.models.live().version == "b@2"
        assert rows.models.live().changed == clock.now


def test_the_way_back_goes_step_by_step(store, tenant):
    with store.write(tenant) as rows:
        for version in ("a@1", "b@2", "c@3"):
            rows.models.add(version, version[0])
            rows.models.promote(version, "root")
        assert rows.models.roll_back("root").version == "b@2"
        assert rows.models.roll_back("root").version == "a@1"
        with pytest.raises(UsageError, match="no model was live before"):
            rows.models.roll_back("root")
        rows.models.promote("c@3", "ann")
        assert rows.models.roll_back("root").version == "a@1", "not b, which was live before the last time"
        history = rows.models.history().items
    assert [(one.action, one.version, one.actor) for one in reversed(history)] == [
        ("promote", "a@1", "root"),
        ("promote", "b@2", "root"),
        ("promote", "c@3", "root"),
        ("roll back", "b@2", "root"),
        ("roll back", "a@1", "root"),
        ("promote", "c@3", "ann"),
        ("roll back", "a@1", "root"),
    ]


def test_what_is_live_already_is_not_promoted_again(store, tenant):
    with store.write(tenant) as rows:
        rows.models.add("a@1", "a")
        rows.models.promote("a@1", "root")
        rows.models.promote("a@1", "root")
        assert rows.models.add("a@1", "a").state == "live", "a known version stays what it is"
        assert rows.models.live().before is None
        assert len(rows.models.history().items) == 1


def test_an_unknown_version_is_refused(store, tenant, other):
    with store.write(other) as rows:
        rows.models.add("a@1", "a")
    with store.write(tenant) as rows, pytest.raises(UnknownIdError, match="no model 'a@1'"):
        rows.models.promote("a@1", "root")


def test_the_database_itself_refuses_two_live_models(store, tenant):
    with store.write(tenant) as rows:
        for version in ("a@1", "b@2"):
            rows.models.add(version, version[0])
    with pytest.raises(MetierError, match="refuses"), store.write(tenant) as rows:
        rows.connection.execute(sa.update(models).values(state="live"))
