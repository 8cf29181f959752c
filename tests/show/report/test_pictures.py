"""The report's pictures: their numbers, and how they are packed."""

from __future__ import annotations

import base64
import io
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

from rarelabels.record import run_files
from rarelabels.show.report import pictures
from small_report import small


def test_f1_of_a_label_is_the_mean_over_seeds_and_leaves_out_labels_without_positives() -> None:
    tables = [pd.DataFrame({"positives": [3, 0], "half/f1": [value, 0.0]}) for value in (0.2, 0.6)]
    assert pictures._f1(tables).to_dict("list") == {"positives": [3], "half": [0.4]}


def test_an_image_holds_what_was_drawn() -> None:
    figure = Figure(figsize=(2, 1))
    figure.subplots().plot([0, 1], [0, 1], color="#0072B2")
    head, _, data = pictures.image(figure).partition(",")
    assert head == "data:image/webp;base64"
    drawn = Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB")
    assert drawn.size == (288, 144)
    assert (0, 0x72, 0xB2) in {colour for _, colour in drawn.getcolors(1 << 20)}  # quantised, and not shifted


def test_pictures_are_kept_until_what_they_show_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    comparison = small().parts[0].comparison
    picture = pictures.Picture("comparison", "A title", "A caption.", "What it shows.", 200, 100, "data:,")
    pictures.save([picture], 1, tmp_path)  # of the second comparison
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.json")] == ["figures/report_2.json"]
    monkeypatch.setattr(run_files, "read", lambda client, run, path, read, tags: read(tmp_path / path))
    monkeypatch.setattr(pictures, "draw", lambda *_: [])

    def kept(tags: dict[str, str]) -> list[pictures.Picture]:
        study = SimpleNamespace(info=SimpleNamespace(run_id="r"), data=SimpleNamespace(tags=tags))
        return pictures.kept(None, study, 1, comparison, {}, [])  # type: ignore[arg-type]

    (own,) = kept({"pictures": f"other {pictures.stamp(comparison)}"})
    assert vars(own) == vars(picture)
    assert kept({"pictures": f"{pictures.stamp(comparison)} other"}) == []  # of the first comparison
    assert kept({}) == []


def test_a_stamp_is_of_trials_seeds_and_runs() -> None:
    comparison = small().parts[0].comparison
    (row,) = comparison.rows
    run = SimpleNamespace(info=SimpleNamespace(run_id="r"))
    others = [replace(row, name="b"), replace(row, seeds="0"), replace(row, runs=(run,))]
    stamps = {pictures.stamp(replace(comparison, rows=[one])) for one in (row, *others)}
    assert len(stamps) == 4
    assert pictures.stamp(replace(comparison, rows=[replace(row, notes=())])) == pictures.stamp(comparison)
