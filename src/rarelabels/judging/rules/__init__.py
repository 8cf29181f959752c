"""How scores become labels: each rule is chosen on the validation part by an exact sweep.

- ``table``: every rule, with its name, its choice, its fallback and its display; light to import. ``kind``: its record.
- ``own``: rules of other packages.
- ``definition``: a rule with its thresholds, how it assigns labels, and how it is stored.
- ``choose``: rules from rows. ``rows``: what the rules need of the rows that choose them.
- ``shrunk``: own thresholds drawn towards the global one. ``folds``, ``crossfit``: decisions on rows left out.
"""
