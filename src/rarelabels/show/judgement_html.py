"""A judgement as HTML: a fragment for notebooks, and a page that needs no other file."""

from __future__ import annotations

import base64
import io

from jinja2 import Environment, PackageLoader, StrictUndefined
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from rarelabels.show.figures import house_style
from rarelabels.show.judgement import Judgement
from rarelabels.show.tables.of_judgement import sections

DOTS_PER_INCH = 130
NAMES = {"validation": "the validation part", "test": "Test part"}


def fragment(judgement: Judgement) -> str:
    """Return the HTML for a notebook: the tables of decisions and rankings, the figure, and the prices."""
    return _render("judgement.html", judgement, whole=False)


def page(judgement: Judgement) -> str:
    """Return a whole HTML page: the fragment for notebooks, and the table of labels."""
    return _render("judgement_page.html", judgement, whole=True)


def _render(template: str, judgement: Judgement, *, whole: bool) -> str:
    environment = Environment(
        loader=PackageLoader("rarelabels.show"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    validation = NAMES["validation"] if judgement.evaluation.validation is not None else None
    shown = sections(judgement, validation, NAMES["test"])
    undrawn: list[str] = []
    picture = ""
    with house_style.or_reported(undrawn, "The figure"):
        picture = _picture(judgement.plot())
    return environment.get_template(template).render(shown=shown, picture=picture, undrawn=undrawn, whole=whole)


def _picture(figure: Figure) -> str:
    """Return a figure as base64 of a PNG."""
    figure.set_dpi(DOTS_PER_INCH)
    content = io.BytesIO()
    FigureCanvasAgg(figure).print_png(content)  # type: ignore[no-untyped-call]  # matplotlib has no types for it
    return base64.b64encode(content.getvalue()).decode("ascii")
