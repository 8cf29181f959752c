"""One HTML page on recorded studies: what to use, and the evidence. The page loads nothing from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from rarelabels import whole_files
from rarelabels.compare import written
from rarelabels.compare.comparison import FLOORS, GAIN
from rarelabels.compare.verdicts import INTERVALS, Finding
from rarelabels.declare.tuning import FOR_HALF
from rarelabels.errors import UserError
from rarelabels.names import told_apart
from rarelabels.record import connection, opening
from rarelabels.show.report.contents import PRICED, Contents, ReportPart, floor_rows, headline

ABOUT = {"metric": "Which metric?", "loss": "Which loss?", "weights": "Which weights?", "threshold": "Which threshold?"}
SIGNS = {"upheld": "✓", "refuted": "✗", "undecided": "?"}  # so that a verdict is not shown by its colour alone
LONGEST_ANCHOR = 300  # characters; a folder's name has fewer
DARKEST = 0.6  # opacity of a cell's blue, on which black text is still legible


@dataclass(frozen=True)
class Line:
    """A sentence of advice, its study, and the finding from which it follows."""

    text: str
    study: str
    finding: Finding


def write(pages: Sequence[Contents], target: Path) -> None:
    """Write the page on some studies.

    Args:
        pages: the contents on each study.
        target: the file to write; it appears whole or not at all.

    Raises:
        UserError: the file cannot be written.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        whole_files.write(target, render(pages).encode("utf-8"))
    except OSError as error:
        raise UserError(f"{target}: cannot be written: {error.strerror}; name another file with --output") from error


def render(pages: Sequence[Contents]) -> str:
    """Return the page on some studies as HTML."""
    environment = Environment(
        loader=PackageLoader("rarelabels.show.report.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": written.number,
        "signed": written.signed,
        "count": _count,
        "signed_count": _signed_count,
    }
    environment.globals |= {
        "headline": headline,
        "floor_rows": floor_rows,
        "shade": _shade,
        "signs": SIGNS,
        "floors": FLOORS,
        "gain": GAIN,
        "priced": PRICED,
        "for_half": FOR_HALF,
        "intervals": INTERVALS,
    }
    anchors = _anchors([page.name for page in pages])
    return environment.get_template("page.html").render(pages=pages, advice=advice(pages), anchors=anchors)


def _anchors(studies: Sequence[str]) -> dict[str, str]:
    """Return the beginning of each study's ids in the page. It has no dot: dots separate the parts of an id."""
    plain = [re.sub(r"[^\w-]", "_", study) for study in studies]
    return dict(zip(studies, told_apart(plain, LONGEST_ANCHOR), strict=True))


def advice(pages: Sequence[Contents]) -> dict[str, list[Line]]:
    """Return the lines of advice by question, from the verdicts on hypotheses with advice; see ``Finding.advice``."""
    lines: dict[str, list[Line]] = {}
    for page in pages:
        for one in page.findings:
            if (given := one.hypothesis.advice) is not None and (text := one.advice()):
                lines.setdefault(given.about, []).append(Line(text, page.name, one))
    return {question: lines[about] for about, question in ABOUT.items() if about in lines}


def attach(page: Contents, where: str) -> None:
    """Write the page on one study to the study's run in the record ``where``."""
    client = connection.connect(where)
    record = opening.open_study(client, opening.open_experiment(client, page.name), page.name)
    record.text("report.html", render([page]))
    record.finish()


def _shade(part: ReportPart, value: float) -> float:
    """Return how dark a cell is. The shade is squared, because under a good rule all trials are close."""
    most = float(part.rules["mean"].max())
    return round(DARKEST * (value / most) ** 2, 3) if most > 0 and value == value else 0.0


def _count(value: float) -> str:
    return f"{value:,.0f}"


def _signed_count(value: float) -> str:
    return f"{value:+,.0f}".replace("-", "−")
