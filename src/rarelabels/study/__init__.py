"""Many runs: from names to runs, training them in workers, summing up, and reading the recorded study.

- ``from_python``: ``rl.run``, ``rl.tune``, ``rl.load_model``. ``run_trials``: the same for the command line.
- ``recorded_study``: ``rl.Study``, with ``counted_runs`` and ``study_plots``. ``printing``: commands that read.
- ``selection``: names to runs. ``plan``: runs to tasks. ``running``: does the tasks. ``runner``: does one task.
- ``summary``: the means and intervals of a trial.
- ``standing``: comparison, verdicts, winner and ranking. ``comparison_frame``: a comparison as a table.
- ``page``, ``drawing``, ``half_by_theory``: the files on a study's run and on a trial's parent run.
- ``engine``, ``workers``, ``tls_keys``, ``progress_display``: worker processes and progress.
- ``project``: folder and record. ``check``: faults of a record. ``refit``: the winner trained anew.
- ``tuning``: searches.
"""
