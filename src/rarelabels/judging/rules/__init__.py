"""How scores become labels: each rule is chosen on the validation part by an exact sweep.

- ``definition``: a rule, how it assigns labels, and how it is stored. ``choose``: every rule, on given rows.
- ``shrunk``: own thresholds drawn towards the global one. ``folds``, ``crossfit``: decisions on rows left out.
"""
