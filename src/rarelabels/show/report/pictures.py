"""The figures of the report. They are drawn at the end of a study, and kept on its run until its results change."""

from __future__ import annotations

import base64
import functools
import hashlib
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from rarelabels import __version__, json_files
from rarelabels.compare.comparison import Comparison, Row
from rarelabels.record import reading, run_files
from rarelabels.record.client import Client
from rarelabels.record.entities import Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CODE = 1  # raise it when the code that draws the figures changes
FOLDER, TAG = "figures", "pictures"  # of the study's run
DPI, CSS_DPI, COLOURS = 144, 96, 128

LabelFrames = Mapping[str, Sequence[pd.DataFrame]]


@dataclass(frozen=True, eq=False)
class Picture:
    """A figure of the report, with its texts.

    Attributes:
        name: of the figure.
        title: the text above it.
        caption: the text below it.
        alt: a description for readers who cannot see the figure.
        width, height: in CSS pixels.
        source: the ``src`` of an ``img``, a data URL.
    """

    name: str
    title: str
    caption: str
    alt: str
    width: int
    height: int
    source: str


def labels_of(client: Client, comparison: Comparison) -> dict[str, list[pd.DataFrame]]:
    """Return the per-label tables of the runs of each trial."""
    return {row.name: [reading.per_label(client, run.info.run_id) for run in row.runs] for row in comparison.rows}


def stamp(comparison: Comparison) -> str:
    """Return the stamp of a comparison. Pictures with the same stamp show this comparison."""
    shown = [(row.name, row.seeds, [run.info.run_id for run in row.runs]) for row in comparison.rows]
    return hashlib.sha256(json.dumps([__version__, CODE, shown]).encode()).hexdigest()[:16]


def kept(
    client: Client, study: Run | None, number: int, comparison: Comparison, labels: LabelFrames, failures: list[str]
) -> list[Picture]:
    """Return the pictures of a comparison: from the study's run if they show this comparison, else new pictures.

    Args:
        client: of the record.
        study: the study's run; None if there is none yet.
        number: place of the comparison among those of the study, from 0.
        comparison: of at least one trial.
        labels: see :func:`labels_of`.
        failures: gets a line for each picture that cannot be drawn.
    """
    if study and study.data.tags.get(TAG, "").split()[number : number + 1] == [stamp(comparison)]:
        return run_files.read(client, study.info.run_id, _file(number), _read, study.data.tags)
    return draw(client, comparison, labels, failures)


def save(pictures: Sequence[Picture], number: int, folder: Path) -> None:
    """Write pictures to the file where :func:`kept` looks for them; ``folder`` becomes that of the study's run."""
    place = folder / _file(number)
    place.parent.mkdir(exist_ok=True)
    json_files.write(place, [asdict(one) for one in pictures], indent=1)


def _read(place: Path) -> list[Picture]:
    return [Picture(**one) for one in json.loads(place.read_text("utf-8"))]


def _file(number: int) -> str:
    return f"{FOLDER}/report_{number + 1}.json"


def draw(client: Client, comparison: Comparison, labels: LabelFrames, failures: list[str]) -> list[Picture]:
    """Return new pictures of a comparison; ``failures`` gets a line for each picture that cannot be drawn."""
    from rarelabels.show.figures import house_style, of_study
    from rarelabels.show.report import panels  # matplotlib takes a second to import

    n, best, ranking = len(comparison.rows), comparison.rows[0], "test/ranking/macro_average_precision"
    pictures: list[Picture] = []

    def add(name: str, title: str, caption: str, alt: str, drawn: Callable[[], Figure]) -> None:
        with house_style.or_reported(failures, f"the report's {name}"):
            pictures.append(Picture(name, title, caption, alt, *_size(figure := drawn()), image(figure)))

    add(
        "comparison",
        "Macro-F1 under each rule, and ranking",
        "Mean over seeds and 95 % interval over seeds and test rows; dashed: the best of the floors at 0.5.",
        f"Dots with intervals for {n} trials: macro-F1 on test at 0.5, with one threshold, with one for each label and "
        f"at the bound; beside it macro average precision, highest for {best.name} with {best.mean(ranking):.3f}.",
        lambda: of_study.comparison(comparison.long(), comparison.best_floors(), ""),
    )
    curves = {row.name: reading.curves(client, [run.info.run_id for run in row.runs]) for row in comparison.rows}
    curves = {name: of for name, of in curves.items() if len(of)}
    if curves:
        epochs = {row.name: _kept(client, row) for row in comparison.rows}
        add(
            "learning_curves",
            "Learning curves",
            "Loss of training and validation: mean over seeds, the band from the lowest to the highest. "
            "Losses have other scales, so the axes differ.",
            f"A panel for each of {len(curves)} trained trials: training and validation loss by epoch.",
            lambda: panels.learning_curves(curves, epochs),
        )
        add(
            "ranking_curves",
            "The metric that keeps an epoch",
            "Macro average precision on validation after each epoch: mean over seeds with its band, the other trials "
            "in grey.",
            f"A panel for each of {len(curves)} trained trials: macro average precision on validation by epoch.",
            lambda: panels.ranking_curves(curves, epochs),
        )

    @functools.cache
    def drawn() -> dict[str, panels.TrialCurves]:
        return {
            row.name: panels.TrialCurves.of([reading.scores(client, run.info.run_id, "test") for run in row.runs])
            for row in comparison.rows
        }

    add(
        "precision_recall",
        "Precision and recall",
        "All labels pooled, on test; precision of the highest threshold that reaches a recall; band: all seeds.",
        f"A panel for each of {n} trials: precision against recall, falling from left to right, above the "
        f"dashed line of chance.",
        lambda: panels.precision_recall(drawn()),
    )
    add(
        "reliability",
        "Reliability",
        "How often labels are true against the score they were given, 15 bins of equal mass, all labels pooled, on "
        "logarithmic axes. Above the dashed line scores are too low, below it too high.",
        f"A panel for each of {n} trials: share of true labels against mean score, beside the diagonal.",
        lambda: panels.reliability(drawn()),
    )
    add(
        "f1_by_positives",
        "F1 of each label against its positives",
        "Test, mean over seeds. Labels without a positive on test are left out.",
        f"A panel for each of {len(labels)} trials: a dot for each label, F1 against its number of positives, at 0.5 "
        "and with its own threshold.",
        lambda: panels.f1_by_positives({name: _f1(tables) for name, tables in labels.items()}),
    )
    return pictures


def image(figure: Figure) -> str:
    """Return a figure as a data URL: lossless WebP, after reducing it to few colours, which suffice for charts."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    figure.set_dpi(DPI)
    canvas, packed = FigureCanvasAgg(figure), io.BytesIO()
    canvas.draw()  # type: ignore[no-untyped-call]  # once: ``savefig`` would do it twice; matplotlib is untyped
    pixels = canvas.buffer_rgba()  # type: ignore[no-untyped-call]  # matplotlib is untyped
    drawn = Image.frombuffer("RGBA", canvas.get_width_height(), pixels, "raw", "RGBA", 0, 1)
    drawn.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).convert("RGB").save(
        packed, format="webp", lossless=True, quality=80
    )
    return f"data:image/webp;base64,{base64.b64encode(packed.getvalue()).decode()}"


def _size(figure: Figure) -> tuple[int, int]:
    """Return width and height in CSS pixels."""
    width, height = figure.get_size_inches()
    return round(width * CSS_DPI), round(height * CSS_DPI)


def _kept(client: Client, row: Row) -> list[float]:
    metrics = (client.run(run.info.run_id).data.metrics for run in row.runs)
    epochs = (of.get("picked/epoch", of.get("training/kept_epoch")) for of in metrics)
    return [epoch for epoch in epochs if epoch is not None]


def _f1(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the F1, mean over seeds, of each label under each drawn rule. Labels without a positive are left out."""
    from rarelabels.show.report import panels

    table = pd.DataFrame({"positives": tables[0]["positives"]})
    for rule in [rule for rule in panels.JUDGED if f"{rule}/f1" in tables[0]]:
        table[rule] = sum(of[f"{rule}/f1"] for of in tables) / len(tables)
    return table[table["positives"] > 0]
