"""The tables of a study, read from its published files: Parquet, and ``about.json``. Nothing else is needed.

``runs`` has a row for each run and metric there, and ``per_label`` lacks what follows from its counts (``packing``).

A table that is too large for one file has several: ``curves-1.parquet``, ``curves-2.parquet``, in this order.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from rarelabels.compare import ranking
from rarelabels.errors import UserError, nearest
from rarelabels.record.reading import KEYS
from rarelabels.study import packing

ABOUT = "about.json"
READ = ("title", "question", "bounds", "digest", "missing", "files")  # of ABOUT
FORMAT = 1  # raise it when a table or a column changes its meaning


class PublishedTables:
    """The tables of a published study; :class:`~rarelabels.study.recorded_study.Study` says what is in each.

    Attributes:
        where: the folder of all published studies.
        about: what ``about.json`` says: when, where, with which versions and from which data the results were made.
        title: of the study; empty if no ``study.yaml`` declared it.
        question: likewise.
        names: short name and variant of each trial with a finished run.
    """

    def __init__(self, name: str, folder: Path) -> None:
        """Read what is published of a study; see ``Study``."""
        self.where = str(folder)
        self._folder = folder / name
        if not (self._folder / ABOUT).is_file():
            there = sorted(path.parent.name for path in folder.glob(f"*/{ABOUT}"))
            hint = nearest(name, there) or f"; there are: {', '.join(there) or 'none'}"
            raise UserError(f"{folder}: {name!r} is not published here{hint}")
        self.about = self._read_about()
        self.title, self.question = str(self.about["title"]), str(self.about["question"])
        trials = self.trials()
        self.names = list(zip(trials["trial"], trials["variant"], strict=True))

    def comparison(self) -> pd.DataFrame:
        """Return the comparison of the trials."""
        return self._table("comparison")

    def verdicts(self) -> pd.DataFrame:
        """Return the verdicts on the declared hypotheses."""
        return self._table("verdicts")

    def ranking(self, metric: str) -> pd.DataFrame:
        """Return the ranking by a validation metric."""
        if metric != ranking.DEFAULT:
            raise UserError(
                f"published results are ranked by {ranking.DEFAULT}; given {metric!r}: read a record for it"
            )
        return self._table("ranking")

    def bounds(self) -> list[str]:
        """Return a sentence for each declared bound."""
        return [str(sentence) for sentence in self.about["bounds"]]

    def trials(self) -> pd.DataFrame:
        """Return the declarations of the trials."""
        return self._table("trials")

    def runs(self) -> pd.DataFrame:
        """Return the final metrics of the runs."""
        return packing.unpack_runs(self._table("runs"))

    def summary(self, trials: Sequence[str] | None) -> pd.DataFrame:
        """Return means and intervals."""
        return self._some("summary", trials)

    def curves(self, trials: Sequence[str] | None) -> pd.DataFrame:
        """Return learning curves."""
        return self._some("curves", trials)

    def per_label(self, trials: Sequence[str] | None) -> pd.DataFrame:
        """Return the results of each label."""
        return packing.unpack_labels(self._some("per_label", trials))

    def reliability(self, trial: str, seed: int, variant: str) -> pd.DataFrame:
        """Return mean scores and shares of true labels in ten bins."""
        table = self._table("reliability")
        of = table[(table[KEYS] == [trial, variant, seed]).all(axis=1)]
        if not len(of):
            wanted = " ".join(filter(None, [trial, variant]))
            known = [" ".join(filter(None, name)) for name in self.names]
            hint = "" if wanted in known else nearest(wanted, known)
            raise UserError(f"{self._folder}: no run of {wanted} with seed {seed} is published{hint}")
        return of[["score", "true"]].reset_index(drop=True)

    def _some(self, table: str, trials: Sequence[str] | None) -> pd.DataFrame:
        whole = self._table(table)
        return whole if trials is None else whole[whole["trial"].isin(list(trials))].reset_index(drop=True)

    def _table(self, name: str) -> pd.DataFrame:
        files = [self._folder / file for file in self.about["files"] if _table_of(file) == name]
        if not files:
            raise UserError(f"{self._folder / ABOUT}: names no file of the table {name}; publish the study again")
        try:
            pieces = [pd.read_parquet(file) for file in files]
        except (OSError, ValueError) as error:
            raise UserError(
                f"{self._folder}: the table {name} cannot be read ({error}); publish the study again"
            ) from error
        whole = pd.concat(pieces, ignore_index=True)
        return whole.astype(dict.fromkeys(whole.columns[whole.dtypes == "float32"], "float64"))

    def _read_about(self) -> dict[str, Any]:
        path = self._folder / ABOUT
        try:
            about: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UserError(f"{path}: cannot be read ({error}); publish the study again") from error
        there = about if isinstance(about, dict) else {}
        if there.get("format") != FORMAT:
            raise UserError(
                f"{path}: has the format {there.get('format')}, this version reads {FORMAT}; publish the study again"
            )
        if lacking := [key for key in READ if key not in there]:
            raise UserError(f"{path}: has no {', '.join(lacking)}; publish the study again")
        return about


def _table_of(file: str) -> str:
    """Return the table to which a file belongs: ``curves-2.parquet`` to ``curves``."""
    return file.removesuffix(".parquet").partition("-")[0]
