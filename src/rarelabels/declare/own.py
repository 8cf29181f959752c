"""The classes that another package derives from, to bring a loss, a model or a kind of data; ``packages`` finds them.

An entry point names the derived class. Its module is imported whenever a command starts, so it imports Keras,
scikit-learn and pandas inside its methods only. ``examples/own_loss`` is such a package. Metrics and threshold rules
are records: see ``own_measures``.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from rarelabels.declare.data_spec import DataSpec
from rarelabels.spec import Spec

if TYPE_CHECKING:  # NumPy takes a third of a command's start to import
    import numpy.typing as npt


class OwnLoss(Spec):
    """The declaration of a loss of another package; entry points in the group ``rarelabels.losses``.

    Its fields are its keys in YAML; ``kind: Literal["<its kind>"]`` is one of them.

    Attributes:
        needs_sigmoid: whether it is for independent labels, so that a softmax head is refused.
    """

    kind: str
    needs_sigmoid: ClassVar[bool] = True

    @abstractmethod
    def build(self, prevalence: npt.NDArray[Any]) -> Any:
        """Return the loss, a ``rarelabels.learn.logit_loss.LogitLoss``; see ``takes_unknown`` and ``cells`` there.

        One compiled network serves all seeds of a trial. Put what depends on the prevalence into the loss's
        ``numbers``: these are set anew for each seed. Everything else stays as it was when the network was compiled.

        Args:
            prevalence: of each label in the training part, (n_labels,).
        """


class OwnModel(Spec):
    """The declaration of a model of another package; entry points in the group ``rarelabels.models``.

    It stands beside the baselines: no loss, weighting or training is declared for it. Its fields are its keys in YAML;
    ``kind: Literal["<its kind>"]`` is one of them. A run records its scores and not the model, so ``best`` passes it
    over.
    """

    kind: str

    @abstractmethod
    def fit(self, data: Any, seed: int) -> Any:
        """Return a fitted model: its method ``scores(part)`` returns probabilities, (n, n_labels).

        Args:
            data: a ``rarelabels.data.dataset.Dataset``; only its training part, and for choices its validation part,
                may be used. A label may be constant in the training part, cells may be unknown (``part.known``), and
                rows may have weights (``part.weights``).
            seed: of the run.
        """


class OwnData(DataSpec):
    """The declaration of a kind of data of another package; entry points in the group ``rarelabels.datasets``.

    Its fields are its keys in YAML; ``kind: Literal["<its kind>"]`` is one of them. If labels of its table may be
    unknown, it overrides ``may_be_unknown``, so that ``validate`` refuses trials that need all of them.

    Attributes:
        version: to be raised whenever the same source gives another table.
    """

    kind: str
    version: ClassVar[int] = 1

    @abstractmethod
    def digest(self) -> str:
        """Return a hash of the source's content, in hexadecimal."""

    @abstractmethod
    def read(self) -> Any:
        """Return the rows, a ``rarelabels.data.unsplit.Table``."""
