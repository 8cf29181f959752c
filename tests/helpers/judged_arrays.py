"""Five rows of three labels to judge, and twenty to choose thresholds on."""

from __future__ import annotations

import numpy as np

LABELS = ["Drama", "Western", "Film-Noir"]
Y_VAL = np.array([[1, 1, 0], [1, 0, 1], [0, 0, 0], [0, 0, 0]] * 5)
S_VAL = np.array([[0.9, 0.8, 0.1], [0.3, 0.6, 0.7], [0.2, 0.4, 0.3], [0.1, 0.1, 0.2]] * 5)
Y = np.array([[1, 1, 0], [1, 0, 0], [0, 0, 1], [0, 1, 0], [0, 0, 0]])
S = np.array([[0.9, 0.7, 0.3], [0.4, 0.6, 0.1], [0.3, 0.2, 0.8], [0.6, 0.1, 0.4], [0.2, 0.3, 0.6]])
