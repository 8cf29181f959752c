"""Probes: small checks of what this version of Keras, TensorFlow and scikit-learn does with multi-hot labels.

No probe trains on a data set. Each probe states a belief of a thread and the documentation, and has pinned numbers. If
the numbers change with a new version, the probe reports it, because code that relies on them must then be checked.
"""

from __future__ import annotations

from rarelabels.probes import accuracy, fit_arguments, measures, sigmoid_losses, softmax_losses
from rarelabels.probes.probe import Probe

PROBES: tuple[Probe, ...] = (
    *accuracy.PROBES,
    *measures.PROBES,
    *sigmoid_losses.PROBES,
    *softmax_losses.PROBES,
    *fit_arguments.PROBES,
)
