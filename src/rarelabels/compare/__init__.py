"""From recorded numbers to comparisons, rankings and verdicts. This room cannot import training.

- ``comparison``: a study's trials side by side. ``ranking``: trials ranked by validation. ``verdicts``: on hypotheses.
- ``measured_trials``: the numbers behind verdicts. ``competence``: whether networks keep up with the baselines.
- ``lateness``: whether a hypothesis was declared before the first look at its trials.
- ``symptoms``: faults of trainings. ``winner``: the trial to use, in sentences.
"""
