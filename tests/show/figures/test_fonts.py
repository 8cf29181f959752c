"""Signs that the usual font lacks are found in another font, or told."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

from rarelabels.show.figures import fonts, house_style

CAT = "猫"


def test_signs_of_the_usual_font_need_no_other() -> None:
    assert fonts.more("Café ß Ж π 😀 \u200d\ufe0f\u00a0") == []
    assert fonts.without("Café ß Ж π 😀 \u200d\ufe0f\u00a0") == ""


def test_a_sign_of_another_installed_font_names_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The bundled font of symbols stands for an installed font of Chinese signs."""
    other = FT2Font(font_manager.findfont("STIXGeneral"))
    usual = FT2Font(font_manager.findfont(fonts.OWN))
    others = (chr(code) for code in other.get_charmap() if not usual.get_char_index(code))
    sign = next(sign for sign in others if unicodedata.category(sign) == "Sm")  # a sign of mathematics
    fonts._family_with.cache_clear()
    monkeypatch.setattr(fonts, "_regular", lambda: (("STIXGeneral", other),))
    assert fonts.more(f"a {sign}{sign}") == ["STIXGeneral"]
    assert fonts.without(f"a {sign}") == ""
    figure = house_style.Drawing(figsize=(6, 5))
    axes = figure.subplots()
    axes.set_yticks([0], [house_style.drawn(sign)])
    house_style.save(figure, tmp_path / "figure.png")
    assert axes.get_yticklabels()[0].get_fontfamily() == ["sans-serif", "STIXGeneral"]
    fonts._family_with.cache_clear()


def test_a_sign_of_no_font_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    fonts._family_with.cache_clear()
    monkeypatch.setattr(fonts, "_regular", lambda: ())
    assert fonts.without(f"{CAT} a {CAT}") == CAT
    assert fonts.more(CAT) == []
    fonts._family_with.cache_clear()


def test_installed_fonts_have_no_font_of_boxes() -> None:
    families = [family for family, _ in fonts._regular()]
    assert "DejaVu Sans" in families
    assert not [family for family in families if fonts.FOR_BOXES in family]
