"""Many runs: from names to runs, training them in workers, summing up, and reading the recorded study.

- ``from_python``: ``rl.run``, ``rl.tune``, ``rl.load_model``. ``run_trials``: the same for the command ``run``.
- ``recorded_study``: ``rl.Study``, with ``counted_runs`` and ``study_plots``. ``printing``: commands that read.
- ``selection``: names to runs. ``plan``: tasks. ``running``: does them. ``runner``: one run. ``summary``: a trial.
- ``standing``: comparison, verdicts, winner and ranking. ``comparison_frame``: a comparison as a table.
- ``page``, ``drawing``, ``half_by_theory``: the files on the run of a study, and of a trial.
- ``engine``, ``workers``, ``tls_keys``, ``progress_display``: worker processes and progress.
- ``project``: folder and record. ``check``: faults of a record. ``refit``: the winner trained anew.
- ``tuning``: searches.
"""
