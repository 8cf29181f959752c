"""Write ``docs/powerset_sizes.md``: what the output layer takes with a column for each label, and for each label set.

All numbers are Python's whole numbers, which have no largest one: nothing is allocated. ``python -m
rarelabels.powerset_sizes docs`` writes the page and its figure.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from rarelabels.learn.output_layer import OutputLayer, in_words, short
from rarelabels.show.figures import house_style
from rarelabels.show.figures.house_style import BLUE, GREY, ORANGE, RED


def output_layers(table: pd.DataFrame, marks: Mapping[str, int], memory: int) -> Figure:
    """Draw the bytes of an output layer's parameters against the number of labels, on a logarithmic axis.

    Left: up to where the last mark is; right: all of it.

    Args:
        table: columns ``head`` (sigmoid or powerset), ``hidden, labels, power``: 10^power bytes, which may be no float.
        marks: what gives out for the softmax over all label sets, and from how many labels on.
        memory: bytes of a machine, drawn as a line.
    """
    figure = Figure(figsize=(11, 5.2), layout="constrained")
    panels = figure.subplots(1, 2)
    most = int(table["labels"].max())
    last_mark = max(marks.values()) + 7
    for axes, last in zip(panels, (last_mark, most), strict=True):
        for (head, hidden), of in table[table["labels"] <= last].groupby(["head", "hidden"], sort=False):
            name = "sigmoid, a column a label" if head == "sigmoid" else "softmax, a column a label set"
            style = "-" if hidden == table["hidden"].min() else "--"
            colour = BLUE if head == "sigmoid" else ORANGE
            axes.plot(of["labels"], of["power"], style, color=colour, label=f"{name}; {hidden} hidden units")
        axes.axhline(np.log10(memory), color=RED, linestyle=":", label=f"{memory / 2**30:.0f} GiB of memory")
        axes.set(xlabel="labels", ylabel="bytes of the output layer's parameters", xlim=(0, last))
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        axes.yaxis.set_major_formatter(lambda power, _: f"$10^{{{power:.0f}}}$")
        axes.grid(alpha=0.25)
    for name, labels in marks.items():
        panels[0].axvline(labels, color=GREY, linewidth=0.9)
        words, place = f"{name}: {labels}", panels[0].get_xaxis_transform()
        panels[0].text(labels - 0.4, 0.98, words, transform=place, rotation=90, ha="right", va="top", fontsize=8.5)
    panels[0].set_ylim(top=1.4 * table.loc[table["labels"] <= last_mark, "power"].max())  # room for the words
    panels[0].set_title("grey: what the number of label sets exceeds, and from how many labels on", fontsize=9)
    panels[1].set_title(f"the same up to {most:,} labels", fontsize=9)
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles, names, frameon=False, fontsize=8.5, loc="outside lower center", ncols=3)
    return figure


LABELS = (
    *(1, 2, 3, 5, 8, 10, 12, 14, 17, 20, 22, 24, 25, 27, 28, 30, 31, 32, 40, 50, 53, 54, 60, 63, 64),
    *(100, 200, 500, 1000),
)
HIDDEN = (16, 512)
MEMORY = 24 * 2**30
TRAINING_ROWS = 10_735  # of the films with 17 genres, seed 0
BATCH = 128
ADAM = 2
PAGE, FIGURE = "powerset_sizes.md", "powerset_sizes.png"


def layer(head: str, labels: int, hidden: int) -> OutputLayer:
    """Return the output layer on so many hidden units: a column for each label (sigmoid), or for each label set."""
    return OutputLayer(hidden, labels if head == "sigmoid" else 1 << labels)


def first(size: Callable[[int], int], most: int) -> int:
    """Return the lowest number of labels whose ``size`` is more than ``most``."""
    return next(labels for labels in range(1, LABELS[-1] + 1) if size(labels) > most)


def limits() -> dict[str, int]:
    """Return what gives out, and the lowest number of labels at which it does, in its order."""
    numbered = "numbers of label sets that {} no longer tells apart"  # the highest one is 2^L - 1
    found = {
        f"more label sets than the {TRAINING_ROWS:,} training rows of the films": first(_columns, TRAINING_ROWS),
        numbered.format("float32"): first(_columns, 2**24 + 1),
        numbered.format("float64"): first(_columns, 2**53 + 1),
        "more label sets than a signed 32-bit index counts": first(_columns, 2**31 - 1),
        "more label sets than a signed 64-bit index counts": first(_columns, 2**63 - 1),
    }
    for hidden in HIDDEN:
        found |= _limits_of_memory(hidden)
    return dict(sorted(found.items(), key=lambda one: one[1]))


def _limits_of_memory(hidden: int) -> dict[str, int]:
    on = f"on {hidden} hidden units"
    return {
        f"{on}: more weights than a signed 32-bit index counts": first(lambda n: hidden * _columns(n), 2**31 - 1),
        f"{on}: to train it takes more than {in_words(MEMORY)}": first(lambda n: _to_train(n, hidden), MEMORY),
        f"{on}: its parameters alone take more": first(lambda n: layer("powerset", n, hidden).bytes, MEMORY),
    }


def page() -> str:
    """Return the page as Markdown."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# A softmax over all label sets: what the output layer takes"
    yield ""
    yield "Made by `make powerset-sizes`: computed with whole numbers, nothing of it allocated."
    yield ""
    yield "A sigmoid has a column for each of the L labels, a softmax over all label sets one for each of the 2^L. A"
    yield "column has a weight for each hidden unit, and a bias, of 4 bytes each. To train it takes as much again for"
    yield "the gradient, twice as much for Adam's moments, and the logits of a batch with their gradients; a batch has"
    yield f"{BATCH} rows here."
    yield ""
    yield f"![Bytes of the output layer against the number of labels]({FIGURE})"
    yield ""
    yield "| labels from which on | what gives out for the softmax over all label sets |"
    yield "|---:|---|"
    for what, labels in limits().items():
        yield f"| {labels} | {what} |"
    yield ""
    at_most = layer("sigmoid", LABELS[-1], HIDDEN[-1])
    yield (
        f"For the sigmoid nothing does: {LABELS[-1]:,} labels on {HIDDEN[-1]} hidden units are {at_most.parameters:,}"
        f" parameters, {in_words(at_most.bytes)}."
    )
    yield ""
    for hidden in HIDDEN:
        yield f"## {hidden} hidden units"
        yield ""
        yield "| labels | sigmoid: parameters | bytes | label sets | all label sets: parameters | bytes | to train |"
        yield "|---:|---:|---:|---:|---:|---:|---:|"
        for labels in LABELS:
            single, sets = layer("sigmoid", labels, hidden), layer("powerset", labels, hidden)
            cells = (short(single.parameters), in_words(single.bytes), short(sets.columns), short(sets.parameters))
            taken = in_words(sets.bytes), in_words(_to_train(labels, hidden))
            yield f"| {labels:,} | {' | '.join((*cells, *taken))} |"
        yield ""


def _columns(labels: int) -> int:
    return 1 << labels


def _to_train(labels: int, hidden: int) -> int:
    return sum(layer("powerset", labels, hidden).training_bytes(BATCH, ADAM).values())


def table() -> pd.DataFrame:
    """Return what the figure draws: columns ``head, hidden, labels, power``: 10^power bytes of parameters."""
    rows = [
        (head, hidden, labels, math.log10(layer(head, labels, hidden).bytes))
        for head in ("sigmoid", "powerset")
        for hidden in HIDDEN
        for labels in range(1, LABELS[-1] + 1)
    ]
    return pd.DataFrame(rows, columns=["head", "hidden", "labels", "power"])


def write(folder: Path) -> None:
    """Write the page and its figure."""
    (folder / PAGE).write_text(page(), encoding="utf-8")
    counts = {f"{TRAINING_ROWS:,} rows": TRAINING_ROWS, "32-bit index": 2**31 - 1}
    counts |= {"float64's integers": 2**53 + 1, "64-bit index": 2**63 - 1}
    marks = {name: first(_columns, most) for name, most in counts.items()}
    house_style.save(output_layers(table(), marks, MEMORY), folder / FIGURE)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
