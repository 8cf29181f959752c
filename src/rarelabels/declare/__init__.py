"""YAML to a frozen trial: one file for each block, then what reads, overrides, varies, checks and writes it.

- Blocks: ``data``, ``models``, ``losses``, ``weighting``, ``training``, ``tuning``; ``trial`` has one of each, and
  ``contradictions`` says what excludes what. ``study``: the file of a study. Thresholds: ``judging.settings``.
- Files: ``yaml_files`` reads one with those that it extends, ``study_files`` those of studies, ``find`` what is named.
- ``declarations`` puts them together; ``override`` is ``--set``; ``variants`` is ``vary`` and what is searched.
- ``problems``: what is wrong, in lines. ``as_yaml``: trials as text. ``table_paths``: paths of tables.
- ``each_tuned``: the search of each network in a study where each is tuned.
"""
