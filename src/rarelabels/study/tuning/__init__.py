"""Searches with Optuna: of a trial's keys (``parameters``), of thresholds (``label_thresholds``)."""
