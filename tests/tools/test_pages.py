"""The result pages are what is published: made anew they are the same, and no sentence is stronger than its verdict."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

import pages
import rarelabels as rl
from rarelabels.declare import declarations
from rarelabels.study import publishing

DOCS = Path(__file__).parents[2] / "docs"
LARGEST, ALL = 1_000_000, 20_000_000  # bytes of a published file, and of all
PUBLISHED = sorted(path.parent.name for path in (DOCS / "results").glob("*/about.json"))


def test_pages_made_anew_are_the_same() -> None:
    made = pages.write()
    assert made
    for path, text in made.items():
        assert path.read_text("utf-8") == text, f"{path.name}: make pages"


def test_what_is_published_is_small() -> None:
    sizes = {path: path.stat().st_size for path in (DOCS / "results").rglob("*") if path.is_file()}
    assert max(sizes.values()) <= LARGEST
    assert sum(sizes.values()) <= ALL


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_study_is_whole_and_as_it_is_declared(name: str) -> None:
    study = rl.Study(name, published=DOCS / "results")
    assert study.about["missing"] == []
    assert study.about["digest"] == publishing.digest(name, DOCS.parent / "experiments"), "make everything"
    stated = declarations.load_study(DOCS.parent / "experiments" / name)
    assert stated is not None
    assert list(study.verdicts()["name"]) == [one.name for one in stated.hypotheses]


@pytest.mark.parametrize(
    ("hypothesis", "verdict", "at_least"),
    [
        ("two_fifths_cost_at_half", "upheld", "0.241 (0.205 to 0.277)"),
        ("two_fifths_cost_per_label", "upheld", "0.123 (0.087 to 0.159)"),
        ("two_fifths_cost_ranking", "refuted", "0.112 (0.093 to 0.132)"),
        ("hamming_hides_it", "upheld", "0.028"),
        ("two_fifths_declared_ranking", "upheld", "0.039 (0.032 to 0.047)"),
        ("two_fifths_declared_at_half", "upheld", "0.068 (0.043 to 0.093"),
        ("splc_two_fifths_at_half", "upheld", "0.078 (0.064 to 0.091)"),
    ],
)
def test_what_the_readme_says_of_unknown_labels_was_measured(hypothesis: str, verdict: str, at_least: str) -> None:
    found = rl.Study("unknown", published=DOCS / "results").verdicts().set_index("name").loc[hypothesis]
    ends = sorted(f"{abs(found[end]):.3f}" for end in ("low", "high"))
    assert f"{abs(found['value']):.3f} ({ends[0]} to {ends[1]})".startswith(at_least)
    assert found["verdict"] == verdict
    readme = " ".join((DOCS.parent / "README.md").read_text("utf-8").split())
    assert at_least in readme.partition("**Labels that nobody noted**")[2].partition("**What Keras")[0]


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    """A folder with one template, and what is published of ``unknown``."""
    shutil.copytree(DOCS / "results" / "unknown", tmp_path / "results" / "unknown")
    (tmp_path / "pages").mkdir()
    return tmp_path


def written(docs: Path, text: str) -> str:
    (docs / "pages" / "one.md.jinja").write_text(text, "utf-8")
    (found,) = pages.write(docs).values()
    return found


def test_a_number_is_the_published_one(docs: Path) -> None:
    summary = pd.read_parquet(docs / "results" / "unknown" / "summary.parquet").set_index(["trial", "metric"])
    expected = summary.loc[("linear", "test/half/macro_f1")]
    assert written(docs, '{{ page.mean("unknown", "linear", "test/half/macro_f1") }}') == f"{expected['mean']:.3f}"
    shown = f"{expected['mean']:.3f} ({expected['low']:.3f} to {expected['high']:.3f})"
    assert written(docs, '{{ page.interval("unknown", "linear", "test/half/macro_f1") }}') == shown


def test_a_sentence_that_needs_another_verdict_is_refused(docs: Path) -> None:
    verdicts = pd.read_parquet(docs / "results" / "unknown" / "verdicts.parquet")
    one = verdicts[(verdicts["verdict"] == "undecided")].iloc[0]
    with pytest.raises(pages.WrongVerdictError, match=f"{one['name']} of unknown is undecided .*, not upheld: rewrite"):
        written(docs, f'{{{{ page.of("unknown", "{one["name"]}", "upheld") }}}}')
    assert f"{one['value']:+.3f}".replace("-", "−") in written(
        docs, f'{{{{ page.of("unknown", "{one["name"]}", "undecided") }}}}'
    )
    with pytest.raises(pages.WrongVerdictError, match="declares no hypothesis 'none_such'"):
        written(docs, '{{ page.of("unknown", "none_such", "upheld") }}')


def test_an_interval_that_is_not_reliable_is_marked(docs: Path) -> None:
    verdicts = pd.read_parquet(docs / "results" / "unknown" / "verdicts.parquet").set_index("name")
    for name, marked in verdicts["unreliable"].ne("").items():
        text = written(docs, f'{{{{ page.of("unknown", "{name}", "{verdicts.loc[name, "verdict"]}") }}}}')
        assert text.endswith("†") == marked


def test_the_table_has_every_claim(docs: Path) -> None:
    verdicts = pd.read_parquet(docs / "results" / "unknown" / "verdicts.parquet")
    rows = written(docs, '{{ page.verdicts("unknown") }}').splitlines()[2:]
    assert [row.split(" | ")[0].removeprefix("| ") for row in rows] == list(verdicts["claim"])
