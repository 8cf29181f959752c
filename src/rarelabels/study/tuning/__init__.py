"""Searches with Optuna: of a trial's keys (``parameters``), of thresholds (``label_thresholds``)."""

from rarelabels.extras import need

need("optuna", "a search")
