"""Names of any kind stay different where they are made fit: on a line, in a figure, in MLflow."""

from __future__ import annotations

import doctest

import numpy as np
import pytest
from mlflow.utils.validation import _validate_metric_name

from odd_names import ODD
from rarelabels import names


def test_the_examples() -> None:
    assert doctest.testmod(names).failed == 0


def test_odd_labels_have_names_of_metrics_that_mlflow_takes_and_that_differ() -> None:
    made = names.of_metrics(ODD)
    assert len(set(made)) == len(ODD)
    for name in made:
        _validate_metric_name(f"curve/val_f1_none_half/{name}")


def test_labels_that_become_one_name_stay_apart_in_any_order() -> None:
    rng = np.random.default_rng(0)
    labels = ["a/b", "a&b", "a_b", "a_b_0", "a_b_1", "a_b_2", "", ".", "..", "_0", "a_b_6"]
    for _ in range(200):
        made = names.of_metrics(rng.permutation(labels).tolist())
        assert len(set(made)) == len(labels)
        assert all(made)
    assert names.of_metrics(["C+", "C#", "A//B", "Sci-Fi"]) == ["C__0", "C__1", "A__B", "Sci-Fi"]  # as in old records


def test_a_name_has_no_more_characters_than_are_allowed_and_no_blank_at_its_end() -> None:
    made = names.of_metrics(["word " * 40 + "one", "word " * 40 + "two", "w" * 199 + "."])
    assert [len(name) <= names.LONGEST_METRIC for name in made] == [True] * 3
    assert len(set(made)) == 3
    assert made[2] == "w" * 199
    assert names.told_apart(["x" * 10] * 12, 10)[11] == "x" * 7 + "_11"


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("plain", "plain"),
        (" two\r\n\tlines\u2028 ", "two lines"),
        ("\x1b[31mred\x07", r"\x1b[31mred\x07"),
        ("a\x00b\ud800", r"a\x00b\ud800"),
        ("\u202eevil", r"\u202eevil"),
        ("👩\u200d🚀 हिन्दी é", "👩\u200d🚀 हिन्दी é"),  # a joined emoji and vowel signs stay as they are
    ],
)
def test_a_line_has_no_control_character(name: str, line: str) -> None:
    assert names.one_line(name) == line


@pytest.mark.parametrize(
    ("text", "separated"),
    [("", []), ("a", ["a"]), (" a ,b", ["a", "b"]), ('"x\ny", z', ["x\ny", "z"]), ("a\nb,c\r\n", ["a", "b", "c"])],
)
def test_names_between_commas_and_line_breaks(text: str, separated: list[str]) -> None:
    assert names.separated(text) == separated


def test_names_that_differ_by_case_blanks_accents_or_width_are_alike() -> None:
    groups = [("Sci-Fi", "sci-fi", "SCI-FI "), ("Café", "Cafe\u0301", "cafe"), ("Ｘ１", "X1"), ("Straße", "strasse")]
    different = ["か", "が", "C", "C++", "a_b", "a-b", "$x$", "x", " ", "हिन्दी", "हन्दी"]
    assert names.alike([name for group in groups for name in group] + different) == groups
    assert names.alike(["a", "b"]) == []


def test_a_cut_text_still_differs_from_others() -> None:
    cut = {names.with_digest("x" * 9000 + end, 8000) for end in "ab"}
    assert {len(text) for text in cut} == {8000}
    assert len(cut) == 2
    assert names.with_digest("x" * 8000, 8000) == "x" * 8000


def test_of_many_names_the_first_are_shown_and_the_others_counted() -> None:
    assert names.some(["a", "b"]) == "'a', 'b'"
    assert names.some(list("abcdefg"), "{}") == "a, b, c, d, e and 2 more"
    assert names.some([str(number) for number in range(1002)], "<{}>", most=1) == "<0> and 1,001 more"
