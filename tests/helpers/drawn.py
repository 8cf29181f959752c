"""What is read off a figure, and scores of two labels that are drawn."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.special import expit

from rarelabels.judging.scores import Scores


def scored(n: int, seed: int, slope: float = 1.0) -> Scores:
    rng = np.random.default_rng(seed)
    z = rng.normal([-4.0, -2.0], 1.5, (n, 2))
    return Scores(np.arange(n).astype(str), (rng.random(z.shape) < expit(z)).astype(np.uint8), expit(slope * z))


def legend(axes: Axes | Figure) -> list[str]:
    boxes = axes.legends if isinstance(axes, Figure) else [axes.get_legend()]
    return [text.get_text() for box in boxes for text in box.get_texts()]


def texts(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts]
