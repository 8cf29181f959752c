"""XED's English sentences (film subtitles), each with one or more of Plutchik's 8 emotions: 17,528 rows, 16 % ones.

A line of the file is ``sentence<TAB>1, 4, 7``, with the numbers of XED's own page: 1 anger, 2 anticipation, 3 disgust,
4 fear, 5 joy, 6 sadness, 7 surprise, 8 trust. (That page counts 17,530 sentences; the pinned file has 17,528 lines.)
Neutral sentences are in another file and not in these data, so no row is without a label.

The one text field, ``sentence``, has lower-case tokens in the order of the text: words, with the apostrophe inside them
(``don't``); what XED put in place of names, as one token (``[person]``); and the marks ``!``, ``?`` and ``...``. With
marks, logistic regression has a macro average precision of 0.403 on test, without them 0.388 (means of 3 seeds).

No sentence is there twice, but 352 differ from another one only in marks and capitals: these are 161 groups of up to 6.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from rarelabels.data.sources import source
from rarelabels.data.table.batch import Batch, RawColumn
from rarelabels.data.table.cell_values import cell_text
from rarelabels.data.tokens import Tokens
from rarelabels.data.unsplit import Table, no_numbers
from rarelabels.declare.data import XedSpec
from rarelabels.errors import UserError

VERSION = 1
"""To be increased whenever the same source gives another table."""

NAME = "xed"
FILE = "en-annotated.tsv"
EMOTIONS = ("anger", "anticipation", "disgust", "fear", "joy", "sadness", "surprise", "trust")
"""The labels; the file has their numbers, from 1."""

_TOKEN = re.compile(r"\[[^\[\]]+\]|\w+(?:['’]\w+)*|\.\.\.|[!?]")
_WORD = re.compile(r"\w+")
_NUMBERS = re.compile(r"[1-8](?:, ?[1-8])*")


def content(_spec: XedSpec) -> str:
    """Return the SHA-256 of the file's plain content, as hexadecimal text; gzipped or not makes no difference.

    Raises:
        MissingDataError: the file is missing.
        UserError: the file cannot be read.
    """
    return source.digest(NAME, [_file()])


def parse(_spec: XedSpec) -> Table:
    """Read the sentences, in the order of the file; the id of a row is its line, from 1.

    The labels and strata are ``EMOTIONS``. Sentences with the same words form a group, whatever their marks are.

    Raises:
        MissingDataError: the file is missing.
        UserError: the file cannot be read, is not UTF-8, or a line has another form; the message names the line.
    """
    path = _file()
    lines = source.read_text(NAME, path).split("\n")  # not splitlines, where other characters end a line too
    filled = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    sentences, y = [], np.zeros((len(filled), len(EMOTIONS)), dtype=np.uint8)
    for row, (number, line) in enumerate(filled):
        sentence, emotions = _parted(f"{path}: line {number}", line)
        sentences.append(sentence.lower())
        y[row, emotions] = 1
    return Table(
        ids=np.array([number for number, _ in filled]).astype(np.str_),
        labels=EMOTIONS,
        y=y,
        strata=y,
        groups=_groups(sentences),
        text=_text(sentences),
    )


def raw_columns(_spec: XedSpec) -> tuple[RawColumn, ...]:
    """Return the one column that the inputs are read from."""
    return (RawColumn("sentence", "text"),)


def raw_inputs(_spec: XedSpec, batch: Batch) -> tuple[dict[str, Tokens], npt.NDArray[np.float64]]:
    """Return text and (no) numbers of some sentences; an empty sentence has no token.

    Raises:
        UserError: a cell is not text.
    """
    return _text([cell_text(batch, row, "sentence").lower() for row in range(batch.rows)]), no_numbers()


def raw_rows(_spec: XedSpec, n: int) -> dict[str, list[object]]:
    """Return the first sentences of the source as :func:`raw_inputs` takes them."""
    path = _file()
    lines = [line for line in source.read_text(NAME, path).split("\n") if line.strip()][:n]
    return {"sentence": [_parted(f"{path}: line", line)[0] for line in lines]}


def _text(sentences: list[str]) -> dict[str, Tokens]:
    return {"sentence": Tokens.from_lists([_TOKEN.findall(sentence) for sentence in sentences])}


def _file() -> Path:
    return source.files(NAME, [FILE])[0]


def _parted(where: str, line: str) -> tuple[str, list[int]]:
    """Return the sentence and the columns of its emotions."""
    sentence, _, numbers = line.partition("\t")
    numbers = numbers.strip()
    if not sentence.strip() or not _NUMBERS.fullmatch(numbers):
        shown = repr(line) if len(line) <= 60 else f"{line[:57]!r}..."
        raise UserError(
            f"{where}: must be a sentence, a tab and numbers from 1 to {len(EMOTIONS)} as in '1, 4, 7', but is "
            f"{shown}; {source.fetch_again(NAME)}"
        )
    columns = [int(number) - 1 for number in numbers.split(",")]
    if len(set(columns)) < len(columns):
        raise UserError(f"{where}: gives an emotion twice, in {numbers!r}; {source.fetch_again(NAME)}")
    return sentence, columns


def _groups(sentences: list[str]) -> npt.NDArray[np.int64]:
    """Return the group of each row, (n,): sentences with the same words share it. Without words, the marks count."""
    words = [" ".join(_WORD.findall(sentence)) or sentence for sentence in sentences]
    return pd.factorize(np.array(words, dtype=object))[0].astype(np.int64)
