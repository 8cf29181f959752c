"""Recorded numbers to comparisons, rankings and verdicts. Nothing here can reach training.

- ``comparison``: a study's trials side by side. ``ranking``: which to use, by validation. ``verdicts``: hypotheses.
- ``measured_trials``: what these are judged by. ``competence``: do networks keep up with the baselines?
- ``symptoms``: what trainings suffer from. ``winner``: the trial to use, in sentences.
"""
