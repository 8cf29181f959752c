"""Text without blanks between its words is found, and n-grams of characters are proposed for it."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from rarelabels.init.columns import TableColumns
from rarelabels.init.unsegmented import lacks_blanks
from usual_columns import USUAL, cells


def of(letters: str, length: int) -> Callable[[int], str]:
    return lambda row: "".join(random.Random(row).choices(letters, k=length))


@pytest.mark.parametrize(
    "letters", ["河川日昔男家古夜中", "かわひるむかしおとこ", "カワヒルムカシ", "กขคงจฉชซ", "កខគឃង", "ကခဂဃင"]
)
def test_such_a_column_is_text_cut_into_characters(find: Callable[..., TableColumns], letters: str) -> None:
    spec = find(USUAL | {"x": cells(of(letters, 9))}, labels="tags").spec
    assert spec.text == ("plot", "x")
    assert [(one.column, one.of, one.ngrams) for one in spec.tokens] == [("x", "characters", (2, 4))]


def test_a_few_such_names_stay_categories_and_lists(find: Callable[..., TableColumns]) -> None:
    found = find(USUAL | {"x": cells(lambda i: ["東京", "大阪", "京都"][i % 3])}, labels="tags").spec
    assert found.categories == ("x",)
    found = find(USUAL | {"x": cells(lambda i: ["東京;大阪", "大阪", "京都;東京", "京都"][i % 4])}, labels="tags").spec
    assert [one.column for one in found.lists] == ["x"]


@pytest.mark.parametrize(
    ("texts", "lacks"),
    [
        (["The end of the house"], False),
        (["한국어는 띄어 씁니다"], False),
        (["Kanji 漢 in a sentence"], False),
        (["iPhoneは高いです", "東京"], True),
        (["123", ""], False),
        ([], False),
    ],
)
def test_scripts_without_blanks(texts: list[str], lacks: bool) -> None:
    assert lacks_blanks(texts) is lacks
