"""LGIR's vectors as a field: what the machine reads, and that they carry what LGIR knows."""

import numpy as np
import pytest

from metier.errors import ConfigError
from metier.features.assemble import assemble
from metier.models.lgir_fields import FIELD, LGIRFM, LGIRFMConfig
from metier.models.registry import create
from metier.testing.worlds import small_town

pytestmark = pytest.mark.usefixtures("torch")


def test_the_field_holds_the_inner_products_of_lgir():
    data = assemble(small_town(people=150)).dataset
    size = 1000  # all axes: turning loses nothing
    model = LGIRFM(LGIRFMConfig(size=size)).fit(data, rng=np.random.default_rng(0))
    people, jobs = model.lgir_.query_vectors(data.query(np.arange(9, dtype=np.int32))), model.lgir_.item_vectors()
    turned = (people[:, :-1] @ model.axes_) @ (jobs[:, :-1] @ model.axes_).T
    np.testing.assert_allclose(turned, people[:, :-1] @ jobs[:, :-1].T, rtol=1e-3, atol=1e-3)


def test_the_machine_reads_the_field_of_both_sides(monkeypatch):
    data, seen = assemble(small_town(people=150)).dataset, {}
    model = LGIRFM(LGIRFMConfig(size=8))
    fit = model.machine_.fit
    monkeypatch.setattr(model.machine_, "fit", lambda data, rng: seen.update(data=data) or fit(data, rng=rng))
    model.fit(data, rng=np.random.default_rng(0))
    for side in (seen["data"].user_features, seen["data"].item_features):
        field = side.field(FIELD).matrix.toarray()
        np.testing.assert_allclose(np.linalg.norm(field, axis=1), 1, rtol=1e-5)
        assert len(np.unique(field.round(4), axis=0)) > 10
    query = data.query(np.arange(9, dtype=np.int32))
    np.testing.assert_allclose(
        model._told(query).features.toarray(), seen["data"].user_features.matrix[:9].toarray(), atol=1e-6
    )


def test_lgir_has_no_ids_unless_asked():
    assert create("lgir-fm", {"lgir": {"epochs": 3}}).lgir_.config.ids is False
    assert create("lgir-afm", {"lgir": {"ids": True}}).lgir_.config.ids is True
    with pytest.raises(ConfigError, match="epoch"):
        create("lgir-fm", {"lgir": {"epoch": 1}})
