"""Scores from anywhere: every number equals scikit-learn's or one worked out by hand; nothing is left unsaid.

How files are read and refused: test_score_files.py. The commands as a user meets them: test_cli.py.
"""

import io
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from sklearn import metrics as sk

from rarelabels.judging import score_files
from rarelabels.judging.score_files import Parts
from rarelabels.judging.scores import Scores
from rarelabels.judging.statistics import bootstrap, inference
from rarelabels.record import connection, writing
from rarelabels.show import judgement as show_judgement
from rarelabels.show.judgement import Judgement
from rarelabels.show.tables.of_judgement import print_judgement

LABELS = ("common", "ties", "rare", "absent", "unchosen")
RULES = ("half", "global", "per_label")
BOTH, ALONE = Path("validation.parquet"), None
# Two labels, and the four rows of the validation part, five times over: enough positives for thresholds of their own.
# A is best cut in the middle of 0.2 and 0.3, B of 0.6 and 0.8; together, too, at 0.7: F1 is 0.8 there, 0.75 at 0.25.
VALIDATION_Y = [[1, 1], [1, 0], [0, 0], [0, 0]] * 5
VALIDATION_SCORES = [[0.9, 0.8], [0.3, 0.6], [0.2, 0.4], [0.1, 0.1]] * 5
TEST_Y = [[1, 1], [1, 0], [1, 0], [0, 0], [0, 0], [0, 1]]
TEST_A = [0.95, 0.4, 0.6, 0.3, 0.1, 0.55]  # at 0.5: 2 found, 1 false; at 0.25: 3 and 2; at 0.7: 1 and 0
TEST_B = [0.75, 0.6, 0.65, 0.2, 0.5, 0.1]  # at 0.5: 1 found, 3 false; at 0.7: 1 and 0
COSTLY_A = [0.95, 0.4, 0.6, 0.3, 0.3, 0.55]  # at 0.25: 3 and 3
CALM_B = [0.75, 0.2, 0.3, 0.2, 0.1, 0.1]  # 1 found, none false at either


def scored(y, scores) -> Scores:
    y = np.array(y, dtype=np.uint8)
    return Scores(np.array([f"row {row}" for row in range(len(y))]), y, np.array(scores, dtype=np.float64))


def by_hand(a=TEST_A, b=TEST_B, validation=True) -> Parts:
    before = scored(VALIDATION_Y, VALIDATION_SCORES) if validation else None
    return Parts(("A", "B"), before, scored(TEST_Y, list(zip(a, b, strict=True))), ())


def printed(judgement: Judgement, validation: Path | None, capsys: pytest.CaptureFixture) -> str:
    print_judgement(judgement, validation, Path("test.parquet"))
    return capsys.readouterr().out


def random_part(n: int, seed: int) -> Scores:
    """A frequent label, one with ties, a rare one, one never there in the test part, one too rare to choose on."""
    rng = np.random.default_rng(seed)
    y = rng.random((n, 5)) < [0.4, 0.3, 0.04, 0.1 if seed else 0, 0.1]
    if seed:
        y[:, 4] = np.arange(n) < 4
    scores = np.clip(0.3 * y + 0.6 * rng.random((n, 5)), 0, 1)
    scores[:, 1] = np.round(scores[:, 1] * 5) / 5
    return scored(y, scores)


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> tuple[Path, Path]:
    """Return two written score files: validation and test."""
    folder = tmp_path_factory.mktemp("scores")
    paths = folder / "validation.parquet", folder / "test.parquet"
    for path, part in zip(paths, (random_part(400, 1), random_part(300, 0)), strict=True):
        part.frame(LABELS).assign(id=lambda frame, path=path: path.stem + frame["id"]).to_parquet(path, index=False)
    return paths


@pytest.fixture(scope="module")
def judgement(files) -> Judgement:
    """Return the judgement of both files; many tests look at it."""
    return show_judgement.judge_parts(score_files.read(*files))


@pytest.fixture(scope="module")
def alone(files) -> Judgement:
    """Return the judgement of the test file alone."""
    return show_judgement.judge_parts(score_files.read(None, files[1]))


def truth_and_scores(path: Path) -> tuple[np.ndarray, np.ndarray]:
    frame = pd.read_parquet(path)
    return tuple(frame[[f"{what}/{label}" for label in LABELS]].to_numpy() for what in ("true", "score"))


# Numbers


@pytest.mark.parametrize("rule", [*RULES, "oracle"])
def test_decisions_equal_scikit_learn(files, judgement, rule):
    y, scores = truth_and_scores(files[1])
    assigned = (scores >= judgement.evaluation.rules[rule].thresholds).astype(int)
    there = y.any(axis=0)
    assert there.tolist() == [True, True, True, False, True]
    wanted = {
        "binary_accuracy": 1 - sk.hamming_loss(y, assigned),
        "subset_accuracy": sk.accuracy_score(y, assigned),
        "micro_f1": sk.f1_score(y, assigned, average="micro"),
        "samples_f1": sk.f1_score(y, assigned, average="samples", zero_division=0),
        "macro_f1": sk.f1_score(y[:, there], assigned[:, there], average="macro", zero_division=0),
        "macro_precision": sk.precision_score(y[:, there], assigned[:, there], average="macro", zero_division=0),
        "macro_recall": sk.recall_score(y[:, there], assigned[:, there], average="macro"),
    }
    found = {name: judgement.evaluation.metrics[f"test/{rule}/{name}"] for name in wanted}
    assert found == pytest.approx(wanted, abs=1e-12)


def test_rankings_equal_scikit_learn(files, judgement, alone):
    y, scores = truth_and_scores(files[1])
    there, rows = y.any(axis=0), y.any(axis=1)
    wanted = {
        "macro_average_precision": sk.average_precision_score(y[:, there], scores[:, there], average="macro"),
        "micro_average_precision": sk.average_precision_score(y, scores, average="micro"),
        "macro_roc_auc": sk.roc_auc_score(y[:, there], scores[:, there], average="macro"),
        "micro_roc_auc": sk.roc_auc_score(y, scores, average="micro"),
        "lrap": sk.label_ranking_average_precision_score(y[rows], scores[rows]),
        "brier": sk.brier_score_loss(y.ravel(), scores.ravel()),
    }
    for one in (judgement, alone):
        found = {name: one.evaluation.metrics[f"test/ranking/{name}"] for name in wanted}
        assert found == pytest.approx(wanted, abs=1e-12)


def best_f1(y: np.ndarray, scores: np.ndarray) -> float:
    """The best of all thresholds, by scikit-learn's curve."""
    precision, recall, _ = sk.precision_recall_curve(y, scores)
    return np.max(2 * precision * recall / (precision + recall + 1e-300))


def test_thresholds_are_the_best_on_validation(files, judgement):
    y, scores = truth_and_scores(files[0])
    rules = {name: judgement.evaluation.rules[name] for name in RULES}
    measured = judgement.evaluation.metrics
    assert rules["half"].thresholds.tolist() == [0.5] * 5
    assert measured["validation/global/micro_f1"] == pytest.approx(best_f1(y.ravel(), scores.ravel()), abs=1e-12)
    # The last label has 4 positives in validation, and 5 are needed for a threshold of its own.
    assert rules["per_label"].thresholds[4] == rules["global"].thresholds[0]
    assert measured["validation/count/labels_with_global_threshold"] == 1
    for label in range(4):
        chosen = scores[:, label] >= rules["per_label"].thresholds[label]
        best = best_f1(y[:, label], scores[:, label])
        assert sk.f1_score(y[:, label], chosen) == pytest.approx(best, abs=1e-12)


def test_each_label_equals_scikit_learn(files, judgement):
    y, scores = truth_and_scores(files[1])
    table = judgement.evaluation.per_label.set_index("label")
    assert tuple(table.index) == LABELS
    for column, label in enumerate(LABELS):
        chosen = scores[:, column] >= table.loc[label, "per_label/threshold"]
        counts = sk.confusion_matrix(y[:, column], chosen, labels=[0, 1]).ravel()
        assert table.loc[label, [f"per_label/{cell}" for cell in ("tn", "fp", "fn", "tp")]].tolist() == counts.tolist()
        if label == "absent":
            assert table.loc[label, ["average_precision", "roc_auc"]].isna().all()
        else:
            average = sk.average_precision_score(y[:, column], scores[:, column])
            assert table.loc[label, "average_precision"] == pytest.approx(average, abs=1e-12)


def test_floors_are_the_shares_of_the_test_part(files, judgement):
    y, _ = truth_and_scores(files[1])
    known, _ = truth_and_scores(files[0])
    share, measured = y.mean(), judgement.evaluation.metrics
    shares, base_rates = y.mean(axis=0), known.mean(axis=0)
    wanted = {
        "zeros/binary_accuracy": 1 - share,
        "zeros/hamming_loss": share,
        "zeros/micro_f1": 0,
        "ones/binary_accuracy": share,
        "ones/micro_f1": 2 * share / (1 + share),
        "ones/macro_recall": 1,
        "prior/brier": np.mean(shares * (1 - base_rates) ** 2 + (1 - shares) * base_rates**2),
        "prior/macro_average_precision": shares[shares > 0].mean(),
        "prior/macro_roc_auc": 0.5,
    }
    assert {name: measured[f"floor/{name}"] for name in wanted} == pytest.approx(wanted, abs=1e-12)


def test_base_rates_take_thresholds_like_the_scores():
    """Base rates are 0.5 and 0.25: A alone has validation F1 20/35, both 30/55, and each label for itself its best."""
    measured = show_judgement.judge_parts(by_hand()).evaluation.metrics
    # At 0.5, and at the global 0.375, A for every row: 3 found, 3 false, 2 missed. per_label: both for every row.
    found = [measured[f"floor/{floor}/micro_f1"] for floor in ("prior", "prior_global", "prior_per_label")]
    assert found == pytest.approx([6 / 11, 6 / 11, 10 / 17])
    assert measured["floor/prior_per_label/macro_f1"] == pytest.approx((2 / 3 + 1 / 2) / 2)


def test_every_number_is_in_the_long_form(judgement, alone):
    for one in (judgement, alone):
        long = one.long()
        assert list(long.columns) == ["metric", "label", "value", "low", "high"]
        assert not long.duplicated(["metric", "label"]).any()
        whole = long[long["label"] == ""].set_index("metric")
        assert whole["value"].to_dict() == one.evaluation.metrics
        for name, (low, high) in one.intervals.items():
            assert whole.loc[name, ["low", "high"]].tolist() == [low, high]
        own = long[long["label"] == "rare"].set_index("metric")["value"]
        table = one.evaluation.per_label.set_index("label").loc["rare"]
        assert own[table.index].tolist() == table.tolist()
        assert own["half/found"] == table["half/tp"]


# What a threshold finds and costs


def test_gains_are_worked_out_by_hand():
    judgement = show_judgement.judge_parts(by_hand())
    rules = judgement.evaluation.rules
    assert rules["global"].thresholds == pytest.approx([0.7, 0.7])
    assert rules["per_label"].thresholds == pytest.approx([0.25, 0.7])
    wanted = {
        "label": ["A", "B"],
        "positives": [3, 2],
        "half/found": [2, 1],
        "half/false": [1, 3],
        "global/more_found": [-1, 0],
        "global/more_false": [-1, -3],
        "per_label/more_found": [1, 0],
        "per_label/more_false": [1, -3],
    }
    assert judgement.prices().to_dict("list") == wanted
    totals = {name: value for name, value in judgement.evaluation.metrics.items() if "/more_" in name}
    assert totals == {
        "test/global/more_found": -1,
        "test/global/more_false": -4,
        "test/per_label/more_found": 1,
        "test/per_label/more_false": -2,
    }


@pytest.mark.parametrize(
    ("a", "b", "says", "rows"),
    [
        (
            TEST_A,
            TEST_B,
            ["global: 1 fewer positives found.*, 4 fewer false", "per_label: 1 more positives found.*, 2 fewer false"],
            ["A 3 2 1 −1 −1 +1 +1", "B 2 1 3 +0 −3 +0 −3", "all 5 3 4 −1 −4 +1 −2"],
        ),
        (
            COSTLY_A,
            CALM_B,
            [
                "global: 1 fewer positives found.*, 1 fewer false",
                r"per_label: 1 more positives found.*, 2 more false alarms: 2(\.0)? for each positive",
            ],
            ["A 3 2 1 −1 −1 +1 +2", "B 2 1 0 +0 +0 +0 +0", "all 5 3 1 −1 −1 +1 +2"],
        ),
    ],
)
def test_gains_are_told_in_words(capsys, a, b, says, rows):
    lines = printed(show_judgement.judge_parts(by_hand(a, b)), BOTH, capsys).splitlines()
    below = lines[lines.index("What each threshold finds and costs") :]
    assert set(rows) <= {" ".join(line.split()) for line in below}
    for pattern in says:
        assert [line for line in below if re.match(pattern, line)], pattern
    assert len([line for line in below if "for each positive" in line]) == (a is COSTLY_A)


# One file alone


def test_without_validation_nothing_is_chosen(alone, capsys):
    assert list(alone.evaluation.rules) == ["half", "oracle"]
    decided = {name.split("/")[1] for name in alone.evaluation.metrics if name.startswith("test/")}
    assert decided == {"half", "oracle", "ranking", "count"}
    assert not [name for name in alone.evaluation.metrics if "global" in name or "per_label" in name]
    assert list(alone.prices().columns) == ["label", "positives", "half/found", "half/false"]
    out = printed(alone, ALONE, capsys)
    assert "No validation part: nothing is chosen, so decisions are at 0.5; oracle is only a bound." in out
    assert "base rate in these test labels themselves, for lack of others." in out
    assert "global" not in out
    assert "per_label" not in out


def test_without_validation_base_rates_are_those_of_the_test_part():
    # 0.5 for A, 1/3 for B: Brier is the mean of 1/4 and 2/9.
    measured = show_judgement.judge_parts(by_hand(validation=False)).evaluation.metrics
    assert measured["floor/prior/brier"] == pytest.approx((1 / 4 + 2 / 9) / 2)


def test_the_numbers_at_half_do_not_depend_on_validation(judgement, alone):
    same = [name for name in alone.evaluation.metrics if name.startswith(("test/", "floor/zeros/", "floor/ones/"))]
    assert {name: judgement.evaluation.metrics[name] for name in same} == {
        name: alone.evaluation.metrics[name] for name in same
    }


# What is printed


def test_printed_numbers_stand_beside_their_floors(files, judgement, capsys):
    out = printed(judgement, BOTH, capsys)
    measured = judgement.evaluation.metrics
    row = next(line for line in out.splitlines() if line.startswith("micro-F1 "))
    low, high = judgement.intervals["test/per_label/micro_f1"]
    floors = [f"{measured[f'floor/{floor}/micro_f1']:.3f}" for floor in ("zeros", "ones", "prior")]
    assert row.split()[1:4] == floors
    assert row.split()[-3:] == [
        f"{measured['test/per_label/micro_f1']:.3f}",
        f"{low:.3f}–{high:.3f}",
        f"{measured['test/oracle/micro_f1']:.3f}",
    ]
    assert "Thresholds and base rates are from validation.parquet: 400 rows" in out
    assert "1 with fewer than 5 positives there take the global one" in out
    assert re.search(r"labels without a positive: 1 \(absent\), .* left out of macro and weighted means", out)


def test_of_many_labels_the_best_and_the_worst_are_printed(capsys):
    rng = np.random.default_rng(0)
    y = rng.random((200, 50)) < 0.3
    # Label number k is the better ranked the higher k is.
    part = scored(y, (1 - np.arange(50) / 60) * rng.random((200, 50)) * 0.5 + y * np.arange(50) / 100)
    labels = tuple(f"l{number:02}" for number in range(50))
    out = printed(show_judgement.judge_parts(Parts(labels, None, part, ())), ALONE, capsys)
    names = [line.split()[0] for line in out.splitlines() if line[:1] == "l" and line[1:3].isdigit()]
    average = sk.average_precision_score(y, part.scores, average=None)
    ranked = [labels[number] for number in np.argsort(-average, kind="stable")]
    assert names == [*ranked[:5], *ranked[-5:]] * 2
    assert "Labels: the 5 best and the 5 worst of 50 by average precision" in out


def test_no_positives_at_all_are_no_reason_to_fail(capsys):
    nothing, scores = np.zeros((4, 2)), [[0.2, 0.6], [0.1, 0.3], [0.2, 0.6], [0.2, 0.7]]
    parts = Parts(("A", "B"), scored(nothing, scores), scored(nothing[:3], scores[:3]), ())
    judgement = show_judgement.judge_parts(parts)
    assert judgement.evaluation.metrics["test/half/binary_accuracy"] == pytest.approx(4 / 6)
    assert np.isfinite(list(judgement.evaluation.metrics.values())).all()
    out = printed(judgement, BOTH, capsys)
    assert "labels without a positive: 2 (A, B)" in out
    assert "global: score ≥ 0.5, for validation.parquet has no positive to choose by." in out


# Labels and formats


@pytest.mark.parametrize("ending", ["csv", "csv.gz"])
def test_every_format_gives_the_same_judgement(files, judgement, tmp_path, ending):
    others = [tmp_path / f"{path.stem}.{ending}" for path in files]
    for path, other in zip(files, others, strict=True):
        frame = pd.read_parquet(path)
        frame[frame.columns[::-1] if "validation" in path.stem else frame.columns].to_csv(other, index=False)
    again = show_judgement.judge_parts(score_files.read(*others))
    pd.testing.assert_frame_equal(again.long(), judgement.long(), check_exact=True)


def test_asked_labels_are_judged_as_if_there_were_no_others(files, judgement):
    picked = show_judgement.judge_parts(score_files.read(*files, only=("rare", "common")))
    assert picked.evaluation.labels == ("rare", "common")
    assert picked.evaluation.per_label["label"].tolist() == ["rare", "common"]
    y, scores = truth_and_scores(files[1])
    wanted = sk.f1_score(y[:, [2, 0]], scores[:, [2, 0]] >= 0.5, average="macro")
    assert picked.evaluation.metrics["test/half/macro_f1"] == pytest.approx(wanted, abs=1e-12)
    # A label's own threshold does not depend on the others.
    own = [judgement.evaluation.rules["per_label"].thresholds[label] for label in (2, 0)]
    assert picked.evaluation.rules["per_label"].thresholds.tolist() == own


# Intervals


@pytest.mark.parametrize(
    ("scores", "draws"),
    [(12, show_judgement.MOST_DRAWS), (1_000_000, 1000), (2_000_000, 500), (20_000_000, 100), (10**12, 100)],
)
def test_draws_for_so_many_scores(scores, draws):
    assert show_judgement.n_draws(scores) == draws


def test_intervals_hold_their_numbers(judgement, alone):
    for one in (judgement, alone):
        assert one.draws == show_judgement.MOST_DRAWS
        beside = [n for n, (low, high) in one.intervals.items() if not low <= one.evaluation.metrics[n] <= high]
        assert not beside
    for name in ("test/half/micro_f1", "test/ranking/macro_average_precision", "test/ranking/ece"):
        low, high = judgement.intervals[name]
        assert 0 <= low < high <= 1


def test_intervals_hold_what_a_resample_flatters():
    """Two positives a label: a row drawn twice stands at the top twice, so that average precision rises."""
    rng = np.random.default_rng(0)
    y = (np.argsort(rng.random((300, 300)), axis=0) < 2).astype(int)
    part = scored(y, rng.random(y.shape))
    name, judgement = (
        "ranking/macro_average_precision",
        show_judgement.judge_parts(Parts(tuple(map(str, range(300))), None, part, ())),
    )
    draws = bootstrap.make_draws(300, 1, judgement.draws)
    plain = inference.interval(bootstrap.replicates(y, [part.scores], [{}], draws)[name])
    value, (low, high) = judgement.evaluation.metrics[f"test/{name}"], judgement.intervals[f"test/{name}"]
    assert value < plain[0]
    assert low < value < high
    assert high - low == pytest.approx(plain[1] - plain[0])


def test_a_share_of_rows_has_the_interval_of_the_binomial(judgement):
    # 300 rows: 1.96 standard errors to either side.
    share = judgement.evaluation.metrics["test/half/subset_accuracy"]
    error = 1.96 * np.sqrt(share * (1 - share) / 300)
    assert judgement.intervals["test/half/subset_accuracy"] == pytest.approx((share - error, share + error), abs=0.01)


def test_all_of_the_test_part_but_counts_and_bounds_has_an_interval(judgement, alone):
    for one in (judgement, alone):
        names = {name for name in one.evaluation.metrics if name.startswith("test/")}
        without = {n for n in names if n.startswith(("test/oracle/", "test/count/")) or "/more_" in n}
        assert set(one.intervals) == names - without


# The record


@pytest.fixture(scope="module")
def client(tmp_path_factory) -> MlflowClient:
    """Return a new record."""
    return connection.connect(f"sqlite:///{tmp_path_factory.mktemp('record') / 'mlflow.db'}")


def recorded(client: MlflowClient, name: str):
    experiment = client.get_experiment_by_name("rarelabels/judged")
    (run,) = client.search_runs([experiment.experiment_id], f"run_name = '{name}'")
    return run


@pytest.mark.parametrize("which", ["judgement", "alone"])
def test_everything_is_recorded_under_its_usual_name(client, request, tmp_path, monkeypatch, which):
    one = request.getfixturevalue(which)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", client.tracking_uri)
    one.log(f"my {which}", {"validation": "", "test": "test.parquet"})
    run = recorded(client, f"my {which}")
    assert run.info.status == "FINISHED"
    assert run.data.params == {"validation": "", "test": "test.parquet", "labels": "5", "draws": str(one.draws)}
    limits = {f"interval/{name}_low": low for name, (low, _) in one.intervals.items()}
    limits |= {f"interval/{name}_high": high for name, (_, high) in one.intervals.items()}
    assert run.data.metrics == one.evaluation.metrics | limits
    parts = ["test"] if which == "alone" else ["test", "validation"]
    kept = Path(client.download_artifacts(run.info.run_id, "", str(tmp_path)))
    assert sorted(path.stem for path in (kept / "scores").iterdir()) == parts
    # What is recorded can be judged again.
    again = score_files.read(None, kept / "scores" / "test.parquet")
    np.testing.assert_array_equal(again.test.scores, one.evaluation.test.scores)
    chosen = json.loads((kept / "thresholds.json").read_text(encoding="utf-8"))
    assert set(chosen) == set(one.evaluation.rules)
    assert list(chosen["oracle"]["thresholds"]) == list(LABELS)
    per_label = pd.read_csv(io.BytesIO((kept / "per_label.csv").read_bytes()))
    assert per_label["positives"].tolist() == one.evaluation.per_label["positives"].tolist()


def test_a_record_that_breaks_off_is_not_finished(client, alone, monkeypatch):
    def full(*_: object) -> None:
        raise OSError("no space left\non the disk")

    monkeypatch.setattr(writing.Record, "folder", full)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", client.tracking_uri)
    with pytest.raises(OSError, match="no space left"):
        alone.log("broken")
    run = recorded(client, "broken")
    assert (run.info.status, run.data.tags["reason"]) == ("FAILED", "OSError: no space left")
