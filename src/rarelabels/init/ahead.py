"""How long a study that ``init`` proposes will take, and how many settings it can try in a quarter of an hour."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rarelabels.data import splits
from rarelabels.declare.models import TextBagSpec
from rarelabels.init.image_column import SECONDS
from rarelabels.init.look import Look
from rarelabels.init.propose import HIDDEN, TRAININGS, search_seeds, trials
from rarelabels.init.template_files import FLOORS

FEWEST_TRAININGS, LONG_MINUTES = 3, 15
SECONDS_OF_STEP, SECONDS_OF_WEIGHT, SECONDS_OF_CELL = 3e-3, 4e-9, 1e-5  # for one training, and for intervals
MOST_TOKENS = TextBagSpec.model_fields["max_tokens"].default
SEEDS = 5  # of conf/base.yaml
SEARCHED_FOR_HALF = 2  # trials of the hypothesis about 0.5, which are searched once more


@dataclass(frozen=True)
class Ahead:
    """The cost of a study before it is run.

    Attributes:
        settings: how many settings are tried for each network; 0 where none are searched.
        minutes: how long the searches and runs may take on two cores.
    """

    settings: int
    minutes: int


def estimate(look: Look, *, each_tuned: bool = True) -> Ahead:
    """Return the cost of a study. Fewer settings are tried where the usual number would take long.

    Args:
        look: what is known of the table.
        each_tuned: whether the settings of every network are searched before it is run.
    """
    if not each_tuned:
        return Ahead(0, _minutes(look, 0))
    settings = TRAININGS
    while settings > FEWEST_TRAININGS and _minutes(look, settings) > LONG_MINUTES:
        settings -= 1
    return Ahead(settings, _minutes(look, settings))


def _minutes(look: Look, settings: int) -> int:
    """Return how many minutes a study takes on two cores, from times of steps and intervals on tables of films."""
    labels, columns = len(look.positives), min(look.n_tokens, MOST_TOKENS) or HIDDEN
    networks = len(set(trials(look.spec, look.valued)) - {*FLOORS, "linear"})
    if settings:
        networks += SEARCHED_FOR_HALF
    trainings = networks * (SEEDS + settings * search_seeds(look))
    a_training = 2 + 1_500 * (SECONDS_OF_STEP + SECONDS_OF_WEIGHT * columns * labels)
    summing_up = (networks + len(FLOORS) + 1) * (3 + SECONDS_OF_CELL * splits.TEST_SHARE * look.rows * labels)
    images = SECONDS * look.rows if look.spec.images else 0
    return math.ceil((trainings * a_training + summing_up + images) / 2 / 60)
