"""Take docs/mlflow_ui.png: three clicks from the run list of the movie study to the mean curves of chosen trials.

`make ui-picture`, in a folder whose record has the trials of `make movies`.
"""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass
from pathlib import Path

from matplotlib import get_data_path
from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import Locator, Page

import browser
import mlflow_page
from project import Project

STUDY = "movies"
CHOSEN = ("focal_auc", "pos_weight_ratio", "bce_accuracy")
CURVE = "curve/val_macro_average_precision"
WIDTH, HEIGHT = 1280, 700
RED = "#d62728"


@dataclass(frozen=True)
class Click:
    """A number, and where it stands."""

    number: str
    x: float
    y: float


def click_on(number: str, target: Locator) -> Click:
    box = target.bounding_box()
    return Click(number, box["x"] + box["width"] + 14, box["y"] + box["height"] / 2)


def shot(page: Page, caption: str, clicks: list[Click], top: float, bottom: float) -> Image.Image:
    """A screenshot between two heights, its clicks marked, below a line that says what to do."""
    page.wait_for_timeout(1500)  # until it has drawn itself
    drawn = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    pen = ImageDraw.Draw(drawn)
    for click in clicks:
        pen.ellipse((click.x - 13, click.y - 13, click.x + 13, click.y + 13), fill=RED)
        pen.text((click.x, click.y), click.number, fill="white", font=font(17), anchor="mm")
    cut = drawn.crop((0, int(top), WIDTH, int(bottom)))
    panel = Image.new("RGB", (WIDTH, cut.height + 44), "white")
    ImageDraw.Draw(panel).text((8, 22), caption, fill="black", font=font(18), anchor="lm")
    panel.paste(cut, (0, 44))
    return panel


def font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(Path(get_data_path(), "fonts", "ttf", "DejaVuSans-Bold.ttf")), size)


def panels(page: Page, link: str) -> list[Image.Image]:
    mlflow_page.open_study(page, link)
    page.get_by_role("button", name="Toggle sidebar").click()
    mlflow_page.choose(page, *CHOSEN)
    boxes = [mlflow_page.row(page, name).get_by_label("toggle row selection") for name in CHOSEN]
    compare = page.get_by_role("button", name="Compare")
    clicks = [click_on("1", box) for box in boxes] + [click_on("2", compare)]
    floor = mlflow_page.row(page, "floor_prior").bounding_box()
    made = [shot(page, "1  tick trials, 2  press Compare", clicks, 0, floor["y"] + floor["height"] + 6)]
    metrics = mlflow_page.compare(page)
    curve = mlflow_page.scroll_to(page, metrics, CURVE)
    seen = metrics.bounding_box()
    top, bottom = max(seen["y"] + 4, 0), min(seen["y"] + seen["height"], HEIGHT)
    made.append(shot(page, "3  scroll to a curve among the metrics and click it", [click_on("3", curve)], top, bottom))
    curve.click()
    page.locator("path.js-line").first.wait_for()
    made.append(shot(page, "the mean curves of the chosen trials", [], 0, 600))
    return made


def stack(pieces: list[Image.Image]) -> Image.Image:
    whole = Image.new("RGB", (WIDTH, sum(piece.height for piece in pieces)), "white")
    y = 0
    for piece in pieces:
        whole.paste(piece, (0, y))
        y += piece.height
    return whole


def main(target: str) -> None:
    with (
        mlflow_page.served(Project(Path.cwd(), declared=False)) as links,
        browser.browser() as opened,
        browser.page(opened, WIDTH, HEIGHT) as (page, _),
    ):
        picture = stack(panels(page, links[STUDY]))
    picture.save(target, optimize=True)
    print(f"{target}: {picture.width} x {picture.height}, {Path(target).stat().st_size // 1000} kB")


if __name__ == "__main__":
    main(sys.argv[1])
