"""The numbers that the report's contents work out."""

from __future__ import annotations

from dataclasses import replace

from rarelabels.show.report import contents
from small_report import labels, small


def test_a_price_is_what_a_rule_finds_and_costs_beside_half() -> None:
    seeds = [labels(half=(2, 1), per_label=(4, 9)), labels(half=(4, 1), per_label=(6, 11))]
    prices = contents._prices(seeds)
    assert set(prices) == {"half", "per_label"}
    assert (prices["half"].found, prices["half"].false) == (9, 3)  # (2 + 4 + 4 + 8) / 2, (1 + 2 + 1 + 2) / 2
    assert (prices["per_label"].more_found, prices["per_label"].more_false) == (6, 27)
    assert prices["per_label"].each == 4.5
    assert contents._prices([labels(half=(2, 1), per_label=(1, 9))])["per_label"].each is None  # nothing more is found


def test_a_trial_without_decisions_has_no_prices() -> None:
    assert contents._prices([labels()]) == {}


def test_floors_and_headings_are_those_of_what_was_measured() -> None:
    comparison = replace(small().parts[0].comparison, floors={"ones": {"macro_f1": 0.2}, "prior": {"macro_f1": 0.1}})
    metrics = ["test/half/macro_f1", "test/half/subset_accuracy"]
    assert contents.floor_rows(comparison, metrics) == {
        "zeros": [None, None],
        "ones": [0.2, None],
        "prior": [0.1, None],
    }
    assert contents.headline(comparison) == {
        "test/half/macro_f1": "macro-F1 at 0.5",
        "test/ranking/macro_average_precision": "macro average precision",
    }
