"""The code that MLflow runs when it loads a registered model. The model has a copy of this file; its weights are files.

Input: a row for each example, with the raw columns of the training data by name, in any order. Other columns are
ignored. Output: ``labels``, the names of the assigned labels, and ``probability/<label>`` for each label.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.models import set_model
from mlflow.protos.databricks_pb2 import BAD_REQUEST
from mlflow.pyfunc import PythonModel, PythonModelContext

from rarelabels.errors import UserError
from rarelabels.serve import predictor


class RarelabelsModel(PythonModel):  # type: ignore[misc]  # mlflow is untyped
    """A trained model with the interface that MLflow calls."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the model's files."""
        self.predictor = predictor.load(Path(context.artifacts[predictor.FOLDER]))

    def predict(
        self,
        context: PythonModelContext,  # noqa: ARG002 - MLflow gives it
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,  # noqa: ARG002 - there are none
    ) -> pd.DataFrame:
        """Return labels and probabilities of some rows, with the index of the rows.

        Raises:
            MlflowException: a bad request; the message names the row and the column.
        """
        try:
            predicted = self.predictor.predict(predictor.as_batch(model_input))
        except UserError as error:
            raise MlflowException(str(error), error_code=BAD_REQUEST) from error
        names = self.predictor.labels
        labels = [[name for name, is_one in zip(names, row, strict=True) if is_one] for row in predicted.assigned]
        columns = [predictor.PROBABILITY + name for name in names]
        frame = pd.DataFrame(predicted.probabilities, columns=columns, index=model_input.index)
        frame.insert(0, "labels", pd.Series(labels, index=frame.index, dtype=object))
        return frame


set_model(RarelabelsModel())
