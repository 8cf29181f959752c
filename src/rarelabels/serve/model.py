"""A registered model in Python: it turns rows of a DataFrame into labels and probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from rarelabels.data.table import cell_values
from rarelabels.serve import predictor
from rarelabels.serve.predictor import PROBABILITY, Predictor


class Model:
    """The registered model of a study; ``rl.load_model`` loads it.

    Attributes:
        labels: the names of the labels, in the order of the probabilities.
        columns: the input columns that rows must have.
    """

    def __init__(self, loaded: Predictor) -> None:
        self._loaded = loaded
        self.labels, self.columns = loaded.labels, loaded.columns

    def __repr__(self) -> str:
        of = f"{self._loaded.trial.name}, rule {self._loaded.rule_name}"
        return f"Model({of}): {len(self.columns)} columns to {len(self.labels)} labels"

    def predict(
        self, rows: pd.DataFrame | Sequence[Mapping[str, object]], images: str | Path | None = None
    ) -> pd.DataFrame:
        """Predict rows, as ``rarelabels predict`` does for a file with the same rows.

        >>> import rarelabels as rl
        >>> model = rl.load_model("movies")  # doctest: +SKIP
        >>> model.predict([{"Title": "Alien", "Genre": "", "Plot": "A crew answers a call."}])  # doctest: +SKIP

        Args:
            rows: with the input columns of the training data by name, in any order; other columns are ignored.
            images: the folder that the names of images begin below, for a model of images.

        Returns:
            A row for each input row, with the same index. Columns: ``id`` (the column that named the rows of the
            training data, if ``rows`` has it, else numbers from 1), ``labels`` (the names of the assigned labels, in
            one text), and ``probability/<label>`` for each label.

        Raises:
            UserError: a column is missing, or a cell is not allowed, as in the training data; or a model of images is
                given no folder.
        """
        frame = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(list(rows))
        batch = predictor.as_batch(frame)
        predicted = self._loaded.predict(batch, None if images is None else Path(images))
        named_by = self._loaded.raw.id
        has_names = bool(named_by) and named_by in batch.cells
        ids = [cell_values.row_name(batch, i, named_by) if has_names else str(i + 1) for i in range(batch.rows)]
        columns = [PROBABILITY + label for label in self.labels]
        table = pd.DataFrame(predicted.probabilities, columns=columns, index=frame.index)
        table.insert(0, "labels", self._loaded.label_texts(predicted))
        table.insert(0, "id", ids)
        return table
