"""The files of a saved model need no pickles."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from rarelabels.errors import UserError
from rarelabels.learn import training
from small_training import LABELS, PLAIN, Trained


def test_saved_files_need_no_pickles(plain: Trained, tmp_path: Path) -> None:
    plain[0].save(tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {"weights.npz", "preprocessing.json"}
    with np.load(tmp_path / "weights.npz", allow_pickle=False) as archive:
        shapes = {name: archive[name].shape for name in archive}
    assert shapes["logits/kernel"] == (12, 5)
    assert shapes["bag_0/table"][1] == 6
    stored = json.loads((tmp_path / "preprocessing.json").read_text(encoding="utf-8"))
    assert stored["labels"] == list(LABELS)
    assert "word0" in stored["fields"]["words"]["tokens"]


def test_an_empty_folder_holds_no_network(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"preprocessing\.json: missing; .* holds no saved network"):
        training.load_saved(PLAIN, tmp_path)
