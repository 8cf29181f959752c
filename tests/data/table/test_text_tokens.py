"""Texts cut into words and n-grams, as scikit-learn cuts them, and for scripts that its words tear apart."""

from __future__ import annotations

import random
import unicodedata
from collections import Counter
from pathlib import Path

import pytest
from sklearn.feature_extraction.text import CountVectorizer

from rarelabels.data import loading
from rarelabels.data.table import parsing
from rarelabels.data.table.text_tokens import cut, normal_words
from rarelabels.declare.table import TableSpec, TextTokens
from small_tables import TAGS, rows_of, spec, write

WORDS = ["The", "END,", "again", "l'été", "8½", "x_1", "ΑΣ", "日本語", "男家古夜中日"]


def tokens(of: str, low: int, high: int) -> TextTokens:
    return TextTokens.model_validate({"column": "plot", "of": of, "ngrams": (low, high)})


@pytest.mark.parametrize("ngrams", [(1, 1), (1, 2), (2, 3), (2, 4)])
def test_words_are_those_of_scikit_learn(ngrams: tuple[int, int]) -> None:
    draw = random.Random(0)
    ours = cut(tokens("words", *ngrams))
    theirs = CountVectorizer(
        preprocessor=lambda text: unicodedata.normalize("NFKC", text).lower(),
        token_pattern=r"(?u)\w+",
        ngram_range=ngrams,
    ).build_analyzer()
    for _ in range(200):
        text = " ".join(draw.choices(["The", "END,", "again", "l'ete", "x_1", "日本語"], k=draw.randint(4, 12)))
        assert Counter(ours(text)) == Counter(theirs(text))


@pytest.mark.parametrize("ngrams", [(1, 1), (1, 3), (2, 4), (3, 3)])
def test_characters_of_a_word_are_those_of_scikit_learn(ngrams: tuple[int, int]) -> None:
    draw = random.Random(1)
    ours, theirs = cut(tokens("characters", *ngrams)), CountVectorizer(analyzer="char", ngram_range=ngrams)
    for _ in range(200):
        word = "".join(draw.choices("男家古夜中日ab", k=draw.randint(ngrams[0], 12)))
        assert Counter(ours(word)) == Counter(theirs.build_analyzer()(word))


def test_tokens_stand_where_they_begin_and_short_words_stay() -> None:
    assert cut(tokens("characters", 2, 3))("abcd e") == ["ab", "abc", "bc", "bcd", "cd", "e"]
    assert cut(tokens("words", 2, 2))("alone") == ["alone"]
    assert cut(tokens("words", 1, 2))(" ,. ") == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ﾊﾝｶｸ ＡＢＣ１２ ①", ["ハンカク", "abc12", "1"]),  # NFKC: width and circles
        ("cafe\u0301 CAFÉ", ["café", "café"]),
        ("हिन्दी में", ["हिन्दी", "में"]),  # \w+ tears these words at their vowel signs
        ("ที่นี่", ["ที่นี่"]),
        ("ที่\u200bนี่", ["ที่", "นี่"]),  # a blank without width
        ("co\u00adop نمی\u200cخواهم", ["coop", "نمیخواهم"]),  # soft hyphen, joiner
        ("a-b c.d «e»", ["a", "b", "c", "d", "e"]),
        ("", []),
    ],
)
def test_words_of_many_scripts(text: str, words: list[str]) -> None:
    assert normal_words(text) == [unicodedata.normalize("NFKC", word) for word in words]


def test_a_column_is_cut_as_declared_and_others_are_not(tmp_path: Path) -> None:
    rows = rows_of(tags=TAGS, plot=[*WORDS, "男家"], title=[*WORDS, "男家"])
    table = write(tmp_path / "a.csv", rows)
    declared = spec(table, text=("plot", "title"), tokens=[{"column": "plot", "of": "characters", "ngrams": [2, 3]}])
    text = parsing.parse(declared).text
    assert text["plot"].to_lists()[9] == ["男家"]
    assert text["plot"].to_lists()[7] == ["日本", "日本語", "本語"]
    plain = parsing.parse(spec(table, text=("plot", "title"))).text
    assert text["title"].to_lists() == plain["title"].to_lists()
    assert loading._prose(declared) == ("title",)  # pairs of neighbours would be pairs of overlapping tokens


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ([{"column": "other", "of": "words", "ngrams": [1, 2]}], "'other' must be one of the columns under text"),
        ([{"column": "plot", "of": "words", "ngrams": [2, 1]}], "the fewest come first"),
        ([{"column": "plot", "of": "words", "ngrams": [1, 9]}], "less than or equal to 8"),
        ([{"column": "plot", "of": "words", "ngrams": [1, 2]}] * 2, "named once"),
    ],
)
def test_contradictions_are_refused(values: list[dict[str, object]], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        spec(Path("a.csv"), tokens=values)


def test_what_was_declared_before_keeps_its_definition() -> None:
    before = spec(Path("a.csv"))
    assert not {"tokens", "vectors", "weight"} & set(before.content())
    assert isinstance(before, TableSpec)
