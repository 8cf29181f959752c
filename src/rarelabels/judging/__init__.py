"""Scores to numbers: sweeps, rules, metrics, calibration and intervals.

Knows no YAML, no model and no MLflow. What is in which file:

- ``scores``: labels, ids, truth and scores of a part. ``arrays``: checks of arrays. ``score_files``: Parquet and CSV.
- ``settings``: what may be said of judging: objectives, names of rules, how thresholds are chosen.
- ``sweeps``: the best thresholds, exactly. ``rules``: how scores become labels.
- ``metrics``: what is measured. ``calibration``: scores that mean what they say. ``picking``: which epoch to keep.
- ``evaluation``: all of it for a validation and a test part. ``statistics``: how sure the numbers are.
- ``threshold_study``: does the theory of the best F1 hold?
- ``score_arrays``: arrays, frames and tensors of Python users, checked. ``thresholds``: their rules and thresholds.
- ``thresholded_classifier``: rules as a classifier of scikit-learn.
"""
