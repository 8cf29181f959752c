"""How many settings are tried, before anything runs."""

from __future__ import annotations

from dataclasses import replace

from rarelabels.init import ahead, propose
from rarelabels.init.look import Look


def test_fewer_settings_are_tried_where_it_would_take_long(films: Look) -> None:
    many = {f"l{i}": 50 for i in range(1_000)}
    assert ahead.estimate(films).settings == propose.TRAININGS
    assert ahead.estimate(replace(films, positives=many)).settings == ahead.FEWEST_TRAININGS
    quick = ahead.estimate(films, each_tuned=False)
    assert (quick.settings, 0 < quick.minutes < ahead.estimate(films).minutes) == (0, True)
