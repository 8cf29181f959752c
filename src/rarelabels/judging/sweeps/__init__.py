"""Exact sweeps: the thresholds that are best on given rows, with every distinct score as a candidate.

Of each label (``each_label``), of all labels at once (``common_threshold``), of all labels together for a metric that
does not split into labels (``together``, ``climbing``). ``ordered`` has the cells in order, and the cuts in them.
"""
