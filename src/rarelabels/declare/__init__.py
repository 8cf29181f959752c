"""YAML to a frozen trial: one file for each block, then what reads, overrides, varies, checks and writes it.

- Blocks: ``data``, ``models``, ``losses``, ``weighting``, ``training``, ``tuning``. A ``trial`` has one of each and
  checks which exclude each other (``contradictions``). ``study``: the file of a study. Thresholds:
  ``judging.settings``.
- Files: ``yaml_files`` reads a file and the files that it extends, ``study_files`` those of studies. ``find`` goes from
  names to files. ``first_seen``: the file that says when hypotheses and trials were first seen.
- ``declarations`` builds trials from files; ``override`` is ``--set``; ``variants`` is ``vary`` and the search space.
- ``problems``: what is wrong, in lines. ``as_yaml``: trials as text. ``table_paths``: paths of tables.
- ``each_tuned``: the search of each network in a study where each is tuned.
"""
