"""Colours and parts that several figures share. The colours are Okabe and Ito's, for colour-blind readers too.

Every figure is a ``Drawing``, and every name that people give goes through ``drawn`` or ``all_drawn``: matplotlib would
read ``$x_1$`` as a formula, and leave ``_x`` out of a legend.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from rarelabels import names
from rarelabels.errors import failure
from rarelabels.judging.rules.table import BY_NAME
from rarelabels.show.figures import fonts

BLUE, ORANGE, GREEN, PINK, SKY, RED = "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00"
GREY = "#777777"
CURVES_ABREAST = 4
FAINTEST = 1e-5  # the lowest score on logarithmic axes
NEAR_ORACLE = 0.95  # F1 is near the oracle's if it is at least this share of it
LONGEST = 40  # characters of a name
SIGNS_AN_INCH = 12  # of a title
COLOURS = {"blue": BLUE, "orange": ORANGE, "green": GREEN, "pink": PINK, "sky": SKY, "red": RED, "grey": GREY}


def rule_colours(*rules: str) -> dict[str, str]:
    """Return the colour of each rule, the same in every figure."""
    return {rule: COLOURS[BY_NAME[rule].colour] for rule in rules}


RULE_COLOURS = rule_colours("half", "global", "per_label", "oracle")


class Drawing(Figure):
    """A figure whose names are drawn as they are, in fonts that have their signs, if any installed font has them.

    The arguments are those of matplotlib's ``Figure``. Its parts are laid out so that they do not overlap.
    """

    def __init__(self, *, figsize: tuple[float, float]) -> None:
        super().__init__(figsize=figsize, layout="constrained")

    def draw(self, renderer: RendererBase) -> None:
        """Draw the figure with ``renderer``."""
        # These two, whatever the user's settings of matplotlib are: logarithmic axes have formulas.
        ours = matplotlib.rc_context({"text.usetex": False, "text.parse_math": True})
        with ours, warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of missing signs, which ``fonts.without`` tells of
            for axes in self.axes:  # makes the labels of ticks, which would be made while drawing
                axes.get_xticklabels(), axes.get_yticklabels()
            for text in self.findobj(Text):
                assert isinstance(text, Text)
                text.set_usetex(False)
                text.set_parse_math(True)
                if more := fonts.more(text.get_text()):
                    text.set_fontfamily([*text.get_fontfamily(), *more])
            super().draw(renderer)


def drawn(name: str, longest: int = LONGEST) -> str:
    r"""Return a name as text for matplotlib, which draws it as it is: on one line, and cut if it is long.

    >>> drawn("cost $x_1$"), drawn("_hidden")
    ('cost \\$x_1\\$', ' _hidden')
    """
    return _literal(names.shortened(names.one_line(name), longest))


def all_drawn(several: Sequence[str], longest: int = LONGEST) -> list[str]:
    """Return different names as texts for matplotlib, see :func:`drawn`. The texts differ, too."""
    lines = [names.one_line(name) for name in several]
    short = [names.shortened(line, longest) for line in lines]
    alike = Counter(short)
    apart = [
        names.with_digest(line, longest) if alike[cut] > 1 else cut for line, cut in zip(lines, short, strict=True)
    ]
    return list(map(_literal, names.told_apart(apart, longest, " #")))


def titled(figure: Figure, name: str, rest: str = "") -> None:
    """Put a title above a figure: names that people gave, cut if there is no room, then ``rest`` as it stands."""
    room = int(figure.get_size_inches()[0] * SIGNS_AN_INCH) - len(rest)
    figure.suptitle(drawn(name, max(room, LONGEST)) + rest, fontsize=10)


def _literal(line: str) -> str:
    """Return a line that is no formula, and that a legend does not leave out as it does ``_x``."""
    return (" " if line.startswith("_") else "") + line.replace("$", r"\$")


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG; ``savefig`` would draw it twice."""
    figure.set_dpi(120)
    FigureCanvasAgg(figure).print_png(path)  # type: ignore[no-untyped-call]  # matplotlib has no types for it


@contextmanager
def or_reported(failures: list[str], what: str) -> Iterator[None]:
    """Catch an error of a block that draws a figure, and add a line with the reason to ``failures``.

    So a figure that cannot be drawn does not stop the others.
    """
    try:
        yield
    except Exception as error:
        failures.append(f"{what}: not drawn: {failure(error)}")


def dots(
    axes: Axes, table: pd.DataFrame, trials: Sequence[str], metric: str, colour: str, offset: float, label: str
) -> None:
    """Draw a metric of each trial with its interval, a row for each trial, moved down by ``offset``."""
    rows = table[(table["metric"] == metric) & table["trial"].isin(list(trials))]
    rows = rows.set_index("trial").reindex(list(trials))
    y = np.arange(len(trials)) + offset
    axes.hlines(y, rows["low"], rows["high"], color=colour, linewidth=1.6, alpha=0.7)
    axes.plot(rows["mean"], y, "o", color=colour, markersize=4.5, label=label)


def spread(axes: Axes, table: pd.DataFrame, column: str, colour: str) -> None:
    """Draw each label's mean in grey, the mean over labels, and the band from the 10th to the 90th percentile."""
    for _, one in table.groupby("label"):
        mean = one.groupby("positives")[column].mean()
        axes.plot(mean.index, mean, color=GREY, linewidth=0.7, alpha=0.5)
    values = table.groupby("positives")[column]
    mean = values.mean()
    axes.plot(mean.index, mean, "o-", color=colour, linewidth=2, markersize=5, label="mean of labels and draws")
    low, high = values.quantile(0.1), values.quantile(0.9)
    axes.fill_between(mean.index, low, high, color=colour, alpha=0.18, linewidth=0, label="10 to 90 %")


def enough_positives(share: pd.Series[float]) -> int | None:
    """Return the least number of positives from which on the mean share of the oracle's F1 stays near 1.

    Args:
        share: mean share of the oracle's F1, indexed by the number of positives.

    Returns:
        None if there is no such number.
    """
    below = share.index[share < NEAR_ORACLE]
    left = share.index[share.index > below.max()] if len(below) else share.index
    return int(left.min()) if len(left) else None
