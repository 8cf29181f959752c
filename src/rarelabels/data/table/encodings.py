"""Which encoding a text file that is not UTF-8 is likely in."""

from __future__ import annotations

import re
from pathlib import Path

from rarelabels.data.table.dialect import Dialect
from rarelabels.data.table.opening import opened, readable

LOOKED_AT = 1_000_000  # bytes, from the first that is not ASCII
FEW = 0.3  # of the bytes of letters: in languages of Latin letters fewer are accented
# In the order they are tried, each with letters of its texts and their least share: kana, Chinese, Cyrillic.
OF_MANY = {
    "cp932": ("\u3041", "\u30ff", 0.2),
    "gb18030": ("\u4e00", "\u9fff", 0.6),
    "cp1251": ("\u0410", "\u044f", 0.6),
}
_HIGH = re.compile(rb"[\x80-\xff]")


def not_text(path: Path, encoding: str) -> str:
    """Return what is wrong with a text that cannot be written as UTF-8, and what to do about it.

    Args:
        path: the file.
        encoding: in which a CSV or TSV file was read; empty if the text was not bytes of the file.
    """
    if not encoding:
        return "holds half of a pair of surrogates, which is no character; write the whole character, or leave it out"
    if Dialect(encoding=encoding).codec != "utf-8-sig":
        return f"is not {encoding} text; set dataset.encoding to that of the file (init: --encoding)"
    with readable(path), opened(path) as file:
        found = likely(file.read())
    return (
        f"is not UTF-8 text; the file is likely {found}: set dataset.encoding to {found} (init: --encoding {found}), "
        "or save the file as UTF-8"
    )


def likely(content: bytes) -> str:
    """Return the name of the encoding that bytes, which are not UTF-8, are likely in.

    A guess for a message, from how many bytes are not ASCII and which encodings have all of them.

    >>> likely("un café noir".encode("cp1252")), likely("река и рынок".encode("cp1251"))
    ('cp1252', 'cp1251')
    """
    found = _HIGH.search(content)
    part = content[found.start() if found else 0 :][:LOOKED_AT]
    high = len(_HIGH.findall(part))
    letters = high + len(re.findall(rb"[A-Za-z]", part))
    if high < FEW * letters:
        return "cp1252"
    # The last character may be cut.
    return next(
        (name for name in OF_MANY if any(_decodes(part[: len(part) - cut], name) for cut in range(4))), "cp1252"
    )


def is_utf_8(path: Path) -> bool:
    """Return whether the beginning of a file has characters beyond ASCII, all of them in UTF-8."""
    with readable(path), opened(path) as file:
        begin = file.read(LOOKED_AT)
    try:
        return not begin.decode().isascii()
    except UnicodeDecodeError as error:  # the last character may be cut
        return len(begin) == LOOKED_AT and error.start > len(begin) - 4


def _decodes(content: bytes, encoding: str) -> bool:
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        return False
    low, high, least = OF_MANY[encoding]
    others = [sign for sign in text if not sign.isascii()]
    return sum(low <= sign <= high for sign in others) >= least * len(others)
