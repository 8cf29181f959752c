"""The record of runs in MLflow: reading and writing.

- ``connection``: where the record is, and whether it answers. ``client``: reads without MLflow, writes with MLflow.
- ``opening``: begins runs of each kind. ``writing``: writes one run. ``outbox``: keeps entries until they are written.
- ``queries``: which runs there are. ``identities``: which runs are the same. ``reading``: the results of single runs.
- ``first_seen``: when hypotheses and trials were first seen.
- ``run_files``, ``digests``, ``damage``: files of runs, and whether they are whole. ``registry``: registered models.
- ``lease``: which process works on a run. ``moved``, ``mending``: a record that was copied or moved.
- ``troubles``: what is wrong with a record, in one line.
- ``database``, ``server``, ``through_mlflow``, ``entities``, ``clock``: three ways to read, and what they share.
- ``bounds``: how long connections wait. ``empty``: a new record. ``scratch``: a temporary record.
"""

from rarelabels.extras import need

need("mlflow", "the record of runs")
