"""Scores to numbers: sweeps, rules, metrics, calibration and intervals.

Knows no YAML, no model and no MLflow. What is in which file:

- ``scores``: ids, truth and scores of a part, checked once and sorted once; every sweep, rule and metric takes them.
- ``arrays``: checks of arrays. ``score_files``: Parquet and CSV.
- ``settings``: what may be declared of judging: objectives, how thresholds are chosen.
- ``sweeps``: the best thresholds, exactly. ``rules``: how scores become labels; ``rules.table`` has every rule.
- ``metrics``: what is measured; ``metrics.table`` has every metric.
- ``calibration``: scores that are probabilities. ``picking``: which epoch to keep.
- ``evaluation``: all of it for a validation and a test part. ``statistics``: how sure the numbers are.
- ``threshold_study``: does the theory of the best F1 hold?
- ``score_arrays``: arrays, frames and tensors of Python users, checked. ``thresholds``: rules and thresholds for them.
- ``thresholded_classifier``: rules as a classifier of scikit-learn.
"""
