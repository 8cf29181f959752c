"""Pruning: the schedule and the masks by hand, and what a training leaves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rarelabels.data.dataset import Dataset
from rarelabels.declare.training import Pruning
from rarelabels.learn import pruning
from small_training import fit, trial


def test_the_schedule_by_hand() -> None:
    spec = Pruning(sparsity=0.8, end_epoch=11)
    # t = 0.1: 0.8 (1 - 0.9^3) = 0.2168; t = 0.5: 0.8 (1 - 1/8) = 0.7
    shares = [pruning.sparsity(spec, epoch) for epoch in (1, 2, 6, 11, 15)]
    assert shares == pytest.approx([0, 0.2168, 0.7, 0.8, 0.8])
    assert pruning.sparsity(Pruning(sparsity=0.8, end_epoch=1), 1) == 0.8


def test_the_smallest_by_magnitude_are_cut() -> None:
    weights = np.array([[0.1, -3.0], [-0.2, 0.0], [2.0, -0.1]], np.float32)
    assert pruning.largest(weights, 0.5).tolist() == [[0, 1], [1, 0], [1, 0]]
    assert pruning.largest(weights, 0.0).all()
    assert pruning.largest(np.zeros((2, 2), np.float32), 0.5).all()  # equals are kept, whichever comes first
    assert pruning.largest(np.array([[0, 2], [0, 1]], np.float32), 0.75).tolist() == [[0, 1], [0, 0]]


@pytest.mark.long
@pytest.mark.parametrize("sparsity", [0.5, 0.8])
def test_a_pruned_net_has_the_declared_share_of_zeros_in_every_table_and_kernel(
    data: Dataset,
    sparsity: float,
    tmp_path: Path,
) -> None:
    declared = {"keep": "last", "epochs": 4, "pruning": {"sparsity": sparsity, "end_epoch": 3}}
    model = {"wide": True, "hidden": [8]}
    fitted, curves = fit(trial(model=model, **declared), data)
    weights = dict(zip((v.path for v in fitted.network.model.variables), fitted.weights, strict=True))
    for path, values in weights.items():
        if values.ndim > 1:
            assert (values == 0).mean() >= round(sparsity * values.size) / values.size, path
    trained = [values for path, values in weights.items() if values.ndim > 1]
    assert fitted.facts["zero_share"] == pytest.approx(
        sum((v == 0).sum() for v in trained) / sum(v.size for v in trained)
    )
    assert all(values.all() for path, values in weights.items() if path.endswith("bias"))
    assert curves[4]["loss"] < curves[1]["loss"]
    plain, _ = fit(trial(model=model, keep="last", epochs=4), data)
    sizes = []
    for name, one in (("pruned", fitted), ("plain", plain)):
        one.save(tmp_path / name)
        sizes.append((tmp_path / name / "weights.npz").stat().st_size)
    assert sizes[0] < sizes[1] * (1 - sparsity / 2)


@pytest.mark.long
def test_frequent_tokens_of_a_path_that_starts_at_zero_are_not_cut_before_they_are_learnt(data: Dataset) -> None:
    declared = trial(model={"wide": True}, keep="last", epochs=4, pruning={"sparsity": 0.5, "end_epoch": 3})
    fitted, _ = fit(declared, data)
    plain, _ = fit(trial(model={"wide": True}, keep="last", epochs=4), data)
    names = [v.path for v in fitted.network.model.variables]
    for field in ("wide_0", "wide_1"):
        at = names.index(f"{field}/table")
        learnt = np.abs(plain.weights[at][1:11]).mean(axis=1)  # the ten most frequent tokens; row 0 is padding
        strongest = 1 + int(learnt.argmax())
        assert (fitted.weights[at][strongest] != 0).any()
        assert (fitted.weights[at][1:11] != 0).mean() > 0.5


def test_the_masks_of_one_seed_are_not_the_next_ones(data: Dataset) -> None:
    declared = trial(keep="last", pruning={"sparsity": 0.6, "end_epoch": 2})
    alone = fit(declared, data, seed=1)[0].scores(data.test)
    fit(declared, data, seed=2)
    np.testing.assert_array_equal(fit(declared, data, seed=1)[0].scores(data.test), alone)


def test_a_pruning_of_nothing_changes_nothing(data: Dataset) -> None:
    none = trial(keep="last", pruning={"sparsity": 0.0, "end_epoch": 2})
    np.testing.assert_array_equal(
        fit(none, data)[0].scores(data.test), fit(trial(keep="last"), data)[0].scores(data.test)
    )
