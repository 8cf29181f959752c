"""What is printed of a study: comparisons, trainings, verdicts, advice and ranks, each from a few rows made by hand."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from rarelabels.compare.comparison import GAIN, Comparison, Row
from rarelabels.compare.ranking import ChosenBy, Ranked, Ranking
from rarelabels.errors import UserError
from rarelabels.show.tables import of_study
from small_report import finding

Values = dict[str, tuple[float, float, float]]
HALF, OWN, BOUND = (f"test/{rule}/macro_f1" for rule in ("half", "per_label", "oracle"))


def row(
    name: str, values: Values, *, overrides: str = "", tied: frozenset[str] = frozenset(), notes: tuple = ()
) -> Row:
    table = pd.DataFrame.from_dict(values, orient="index", columns=["mean", "low", "high"]).rename_axis("metric")
    return Row(name, "0 1", overrides, notes, table, (), tied)


def compared(*rows: Row, **others: list) -> Comparison:
    floors = {"zeros": {"macro_f1": 0.0}, "ones": {"macro_f1": 0.2}, "prior": {"macro_f1": 0.1}}
    missing, skipped, left_out = (others.get(name, []) for name in ("missing", "skipped", "left_out"))
    plain, changed = ([one for one in rows if bool(one.overrides) == which] for which in (False, True))
    return Comparison("films", plain, changed, floors, missing, skipped, left_out)


def cells(out: str, name: str) -> list[str]:
    """The cells of the row of this name in the first table; an interval below its number is another line."""
    lines = [line.strip("│").split("│") for line in out.splitlines() if line.startswith("│")]
    return next(own for line in lines if (own := [cell.strip() for cell in line])[0] == name)


def test_a_comparison_has_means_intervals_floors_and_stars(capsys: pytest.CaptureFixture[str]) -> None:
    best = row("focal", {HALF: (0.5, 0.4, 0.6)}, tied=frozenset({HALF}), notes=("It is rough.",))
    other = row("bce", {HALF: (0.25, np.nan, np.nan)})
    changed = row("bce", {HALF: (0.3, 0.2, 0.4)}, overrides="training.epochs=1")
    told = {"missing": ["net", "linear"], "skipped": ["c: no file"], "left_out": ["d seed 0: left out"]}
    one = compared(best, other, changed, **told)
    of_study.print_comparisons("small", [one], [])
    out = capsys.readouterr().out
    assert "small on films: test part, mean and 95 % interval" in out
    assert cells(out, "focal") == ["focal", "2", "0.500*"]
    assert "0.400–0.600" in out
    assert cells(out, "bce") == ["bce", "2", "0.250"]
    assert cells(out, "bce (overridden: training.epochs=1)")[2] == "0.300"
    assert [cells(out, f"floor: {name}")[2] for name in ("zeros", "ones", "prior")] == ["0.000", "0.200", "0.100"]
    assert out.splitlines()[-4:] == [
        "focal: It is rough.",
        "not run: net, linear",
        "skipped: c: no file",
        "d seed 0: left out",
    ]
    assert "how the networks trained" not in out


def test_the_table_by_rule_has_the_gain_of_thresholds_and_no_floor_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    values = {HALF: (0.25, 0.2, 0.3), OWN: (0.5, 0.4, 0.6), BOUND: (0.75, np.nan, np.nan), GAIN: (0.25, 0.2, 0.3)}
    of_study.print_by_rule("small", [compared(row("bce", values))])
    out = capsys.readouterr().out
    assert "small on films: macro-F1 by threshold rule" in out
    assert cells(out, "bce")[2:] == ["0.250", "0.500", "0.750", "0.250"]
    assert cells(out, "floor: ones")[-1] == ""


def test_one_metric_is_shown_under_every_rule_that_has_it_without_stars(capsys: pytest.CaptureFixture[str]) -> None:
    names = [f"test/{rule}/hamming_loss" for rule in ("oracle", "of_mine", "half")]
    values = {name: (0.25 * place, 0.0, 1.0) for place, name in enumerate(names, 1)}
    both = values | {HALF: (0.5, 0.4, 0.6), "test/count/rows_without_labels": (3.0, np.nan, np.nan)}
    one = compared(row("bce", both, tied=frozenset({names[2]})))
    of_study.print_metric("small", [one], "hamming_loss")
    out = capsys.readouterr().out
    assert "small on films: ↓ Hamming loss on the test part, mean" in out
    assert cells(out, "bce")[2:] == ["0.750", "0.500", "0.250"]  # half, then of other packages, then the bound
    of_study.print_metric("small", [compared(row("bce", {"test/half/of_mine": (0.5, 0.4, 0.6)}))], "of_mine")
    assert "small on films: of_mine on the test part" in " ".join(capsys.readouterr().out.split())
    with pytest.raises(UserError, match=r"^--metric: no trial of small has a test metric 'hamming'; did you mean 'h"):
        of_study.print_metric("small", [one], "hamming")
    with pytest.raises(UserError, match="'rows_without_labels'"):
        of_study.print_metric("small", [one], "rows_without_labels")


def test_a_rule_of_another_package_is_a_column_of_the_table_by_rule(capsys: pytest.CaptureFixture[str]) -> None:
    values = {HALF: (0.25, 0.2, 0.3), "test/of_mine/macro_f1": (0.5, 0.4, 0.6), BOUND: (0.75, np.nan, np.nan)}
    of_study.print_by_rule("small", [compared(row("bce", values))])
    out = capsys.readouterr().out
    assert cells(out, "bce")[2:] == ["0.250", "0.500", "0.750"]


def test_of_a_network_whose_epoch_was_picked_what_its_training_kept_is_left_out() -> None:
    def shown(name: str, **means: float) -> Row:
        return row(name, {metric.replace("__", "/"): (value, np.nan, np.nan) for metric, value in means.items()})

    kept = shown("kept", training__kept_epoch=3.0, training__zero_share=0.5, training__compressed_bytes=1_500_000.0)
    picked = shown("picked", training__kept_epoch=4.0, picked__epoch=2.0)
    table = of_study.training_table(compared(kept, picked, row("floor", {HALF: (0.1, 0.1, 0.1)})))
    columns = {str(column.header).replace("\n", " "): list(column.cells) for column in table.columns}
    assert columns == {
        "trial": ["kept", "picked"],
        "epoch kept": ["3.0", ""],
        "epoch picked": ["", "2.0"],
        "weights that are 0": ["50%", ""],
        "compressed weights": ["1.50 MB", ""],
    }


def test_verdicts_are_counted_and_their_marks_explained(capsys: pytest.CaptureFixture[str]) -> None:
    late = finding("upheld")
    late = type(late)(**{**vars(late), "late": True})
    lacking = type(late)(late.hypothesis, "undecided", reason="not run: a")
    of_study.print_findings("small", [late, lacking], [])
    out = capsys.readouterr().out
    assert "small: declared hypotheses" in out
    assert "+0.100" in out
    assert "+0.050 to +0.150" in out
    assert "upheld (late)" in out
    assert "undecided (not run: a)" in out
    assert "nan" not in out
    assert "1 upheld, 0 refuted, 1 undecided. The interval beside" in out
    assert "late: a run of one of its trials was made, or looked at, before" in out
    assert "provisional:" not in out


def test_advice_has_warnings_first_and_says_from_which_verdict_it_follows(capsys: pytest.CaptureFixture[str]) -> None:
    of_study.print_advice("small", ["Beware."], ["Take focal."], [finding("refuted"), finding("upheld", advice=False)])
    lines = ["small: what to use", "- Beware.", "- Take focal.", "- Take the other. (claim: refuted)"]
    assert capsys.readouterr().out.splitlines() == lines
    of_study.print_advice("small", [], [], [finding("upheld", advice=False)])
    assert capsys.readouterr().out == ""


def test_a_ranking_has_its_order_test_results_and_who_is_not_ranked(capsys: pytest.CaptureFixture[str]) -> None:
    plain, searched = (SimpleNamespace(tuning=tuning) for tuning in (None, "a search"))
    first = Ranked("focal", searched, (), 0.5, 0.4, 0.3, 0.5)  # type: ignore[arg-type]
    second = Ranked("bce", plain, (), 0.45, 0.39, np.nan, np.nan, tied=True)  # type: ignore[arg-type]
    floor = Ranked("prior", plain, (), 0.1, np.nan)  # type: ignore[arg-type]
    ranking = Ranking(
        ChosenBy("per_label", "macro_f1"), (0, 1), (2,), [first, second], [floor], ["c: failed"], ["d: changed"]
    )
    of_study.print_ranking("small", ranking)
    out = capsys.readouterr().out
    assert out.startswith("small: crossfit/per_label/macro_f1, greatest first; means over seeds 0, 1\n")
    rows = [[cell.strip() for cell in line.strip("│").split("│")] for line in out.splitlines() if line.startswith("│")]
    assert rows == [
        ["1", "focal (searched on these rows)", "0.5000", "0.4000  0.300–0.500"],
        ["2", "bce", "0.4500", "0.3900*"],
        ["", "prior (not ranked: learns nothing)", "0.1000", ""],
    ]
    assert of_study.TIED_WITH_FIRST in out
    assert "No trial has run all its declared seeds (2 are missing): these are the results of seeds 0, 1 only" in out
    assert out.splitlines()[-2:] == ["not ranked: d: changed", "not ranked: c: failed"]
