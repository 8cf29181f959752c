"""Exact sweeps: the thresholds that are best on given rows, with every distinct score as a candidate.

- ``each_label``: the best threshold of each label. ``common_threshold``: the best one that all labels have in common.
- ``together``, ``climbing``: thresholds per label for a metric that does not split into labels.
- ``ordered``: the cells in the order of their scores, and the cuts between them.
"""
