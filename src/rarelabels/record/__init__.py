"""MLflow: what is read from it and written to it.

- ``connection``: where the record is, and whether it answers. ``client``: read without MLflow, write by it.
- ``opening``: runs of each kind are begun. ``writing``: one run as it is written. ``outbox``: until it is there.
- ``queries``: which runs there are. ``identities``: which run is which. ``reading``: what single runs hold.
- ``run_files``, ``digests``, ``damage``: files of runs, and whether they are whole. ``registry``: registered models.
- ``lease``: who runs a run. ``moved``, ``mending``: a record that was copied. ``troubles``: what is wrong, in a line.
- ``database``, ``server``, ``through_mlflow``, ``entities``, ``clock``, ``bounds``, ``empty``, ``scratch``: its parts.
"""

from rarelabels.extras import need

need("mlflow", "the record of runs")
