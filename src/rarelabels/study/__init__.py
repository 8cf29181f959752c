"""Many runs: what is asked for, what is left to do, doing it, summing up, and how the study stands.

- ``selection``: names to runs. ``plan``: what is to do. ``running``: do it. ``runner``: one run. ``summary``: a trial.
- ``standing``: comparisons, verdicts and ranks as they are now. ``recorded_study``: for notebooks.
- ``page``, ``drawing``, ``half_by_theory``: what a study's and a trial's own run carry.
- ``engine``, ``workers``, ``own_keys``, ``progress_display``: processes, and what they tell.
- ``check``: the whole record. ``refit``: the winner trained anew. ``tuning``: searches.
"""
