"""The ``dataset`` block of a table of one's own: its columns, and how its file is written."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from rarelabels.declare.backbones import Backbone
from rarelabels.declare.data_spec import DataSpec
from rarelabels.spec import LATER, Count, Spec


def checked_encoding(name: str) -> str:
    """Return the name of an encoding of text.

    Raises:
        ValueError: Python knows no encoding of this name.
    """
    try:
        "".encode(name)
        b"a".decode(name, "surrogateescape")  # some codecs, such as idna, cannot mark bytes that they do not know
    except UnicodeDecodeError:  # a character has more bytes
        pass
    except (LookupError, ValueError):
        raise ValueError(
            f"{name!r} is no encoding of text that Python knows; allowed are utf-8, cp1252, utf-16, cp932 and others"
        ) from None
    return name


def checked_delimiter(text: str) -> str:
    """Return the sign between the cells of a file.

    Raises:
        ValueError: it is no single sign that can stand between cells.
    """
    if len(text) != 1 or text in '"\r\n\0' or text.isalnum():
        raise ValueError(f"the delimiter must be one sign, such as ; or a tab; given {text!r}")
    return text


Delimiter = Annotated[str, AfterValidator(checked_delimiter)]
Encoding = Annotated[str, AfterValidator(checked_encoding)]
Column = Annotated[str, Field(min_length=1, description="name of a column")]
Cell = str | int
# What the cells of 0/1 columns say, in lower case; 0,0 and 1,0 have decimal commas.
FLAGS = {"0": 0, "1": 1, "0.0": 0, "1.0": 1, "0,0": 0, "1,0": 1, "false": 0, "true": 1}
FLAGS |= {"no": 0, "yes": 1, "n": 0, "y": 1, "f": 0, "t": 1}


def cell_as_word(cell: object) -> str:
    """Return how a cell of a label column is compared with the declared words: "" if it is missing, -1 for -1.0.

    >>> [cell_as_word(cell) for cell in (None, float("nan"), " NaN ", -1, -1.0, "-1.0", " U ")]
    ['', '', '', '-1', '-1', '-1', 'u']
    """
    word = "" if cell is None else str(cell).strip().lower()
    whole = word.removesuffix(".0")
    return "" if word == "nan" else whole if whole.removeprefix("-").isdecimal() else word


Size = Annotated[int, Field(ge=1, le=8)]


class TableLabels(Spec):
    """Where the labels of a row stand: one column of names, or one 0/1 column for each label."""

    column: Column | None = Field(None, description="a column of label names; an empty cell means no labels")
    separator: Annotated[str, Field(min_length=1)] | None = Field(
        None,
        description="what separates the names in a cell of column; null: a cell is one name; [], {}, () or <>: a cell "
        "is a list in these brackets; not for columns that hold lists (JSON Lines, Parquet)",
    )
    columns: Annotated[tuple[Column, ...], Field(min_length=2)] | None = Field(
        None, description="the 0/1 columns, one for each label"
    )
    prefix: Column | None = Field(
        None, description="every column whose name begins with this is the 0/1 column of a label"
    )
    min_rows: Count = Field(1, description="a label that fewer rows have is left out")
    unknown: Annotated[
        tuple[Cell, ...],
        Field(
            description="with columns or prefix: the cells that say that nobody annotated the label, such as -1, U, or "
            'the empty cell, ""'
        ),
        LATER,
    ] = ()
    not_annotated: Annotated[
        Column | None,
        Field(
            description="with column: another column of names, which lists the labels that nobody looked at in this "
            "row; they are unknown"
        ),
        LATER,
    ] = None
    annotated: Annotated[
        Column | None,
        Field(
            description="with column: another column of names, which lists the labels that somebody looked at in this "
            "row; the others are unknown, except those that the row has"
        ),
        LATER,
    ] = None

    @property
    def second_column(self) -> tuple[str, str] | None:
        """The column of names that says what was annotated, and its key; None if none does."""
        given = (("not_annotated", self.not_annotated), ("annotated", self.annotated))
        return next(((column, key) for key, column in given if column is not None), None)

    @model_validator(mode="after")
    def _unknown_is_said_once(self) -> TableLabels:
        if self.not_annotated and self.annotated:
            raise ValueError("takes not_annotated or annotated, not both; leave one of them out")
        if self.second_column and self.column is None:
            raise ValueError(f"{self.second_column[1]} goes with column; for 0/1 columns say unknown")
        if self.unknown and self.column is not None:
            raise ValueError(
                "unknown goes with columns or prefix; for a column of names say not_annotated or annotated"
            )
        if both := [cell for cell in self.unknown if cell_as_word(cell) in FLAGS]:
            raise ValueError(f"unknown: {both[0]!r} is a label, 0 or 1, so it cannot be unknown as well; leave it out")
        return self

    @model_validator(mode="after")
    def _one_form(self) -> TableLabels:
        given = [name for name in ("column", "columns", "prefix") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"takes exactly one of column, columns and prefix; given {' and '.join(given) or 'none'}")
        if self.column is None and self.separator is not None:
            raise ValueError(f"separator goes with column, not with {given[0]}")
        return self


class ListColumn(Spec):
    """A column whose cells are lists, each entry one token."""

    column: Column
    separator: Annotated[str, Field(min_length=1)] | None = Field(
        None,
        description="what separates the entries of a text cell; null: a cell is one entry; [], {}, () or <>: a "
        "cell is a list in these brackets; not for columns that hold lists (JSON Lines, Parquet)",
    )


class TextTokens(Spec):
    """How a column of prose is cut into tokens, other than into its lower-case words.

    The text is brought into Unicode's form NFKC and into lower case. Its words are runs of letters, marks and digits.
    """

    column: Column
    of: Literal["words", "characters"] = Field(
        description="characters: neighbouring characters of a word, for text without blanks between words; words: "
        "neighbouring words"
    )
    ngrams: tuple[Size, Size] = Field(description="the fewest and the most neighbours in a token")

    @model_validator(mode="after")
    def _in_order(self) -> TextTokens:
        if self.ngrams[0] > self.ngrams[1]:
            raise ValueError(f"ngrams: the fewest come first; given {list(self.ngrams)}")
        return self


class VectorColumn(Spec):
    """A column whose cells are lists of numbers, all of one length, such as embeddings of sentences or images."""

    column: Column
    file: Annotated[str, Field(min_length=1)] | None = Field(
        None,
        description="a .npy file with the vectors, (rows, length), in the order of the table's rows; relative to the "
        "YAML file that names it; null: the cells of the table's own column are the vectors",
    )


class ImageColumn(Spec):
    """A column that names a file for each row, its image: PNG, JPEG, GIF or BMP."""

    column: Column
    folder: Annotated[str, Field(min_length=1)] | None = Field(
        None,
        description="the folder that the names in the column begin below; relative to the YAML file that names it; "
        "null: the folder of the table",
    )


class TableSpec(DataSpec):
    """A table of one's own: .csv, .tsv, .jsonl, .parquet, .svm or .arff."""

    kind: Literal["table"]
    path: Annotated[str, Field(min_length=1, description="the file; relative to the YAML file that names it")]
    labels: TableLabels
    text: tuple[Column, ...] = Field((), description="columns of prose, split into lower-case words")
    lists: tuple[ListColumn, ...] = Field((), description="columns of lists, such as names or tags")
    numeric: tuple[Column, ...] = Field((), description="columns of numbers, standardised on the training part")
    categories: Annotated[
        tuple[Column, ...], Field(description="columns of categories: each row has one of a few values"), LATER
    ] = ()
    tokens: Annotated[
        tuple[TextTokens, ...],
        Field(
            description="columns of text that are cut into tokens in another way than into words; model.ngrams adds no "
            "pairs there"
        ),
        LATER,
    ] = ()
    vectors: Annotated[
        tuple[VectorColumn, ...],
        Field(description="columns of vectors; each number of a vector is a number of the row, as under numeric"),
        LATER,
    ] = ()
    images: Annotated[
        ImageColumn | None,
        Field(description="a column of image files; backbone turns each into numbers of the row, as under numeric"),
        LATER,
    ] = None
    backbone: Annotated[
        Backbone | None, Field(description="with images: the frozen network that turns an image into numbers"), LATER
    ] = None
    weight: Annotated[
        Column | None,
        Field(
            description="a column of numbers above 0: how much each row counts in training. They are scaled to a mean "
            "of 1 in the training part; nothing is judged by them"
        ),
        LATER,
    ] = None
    id: Column | None = Field(None, description="a column that names each row; row numbers by default")
    group: Column | None = Field(None, description="a column of groups: rows with the same value stay in one part")
    split: Column | None = Field(
        None,
        description="a column that says for each row train, validation or test; training, val, valid, dev and testing "
        "are read as these",
    )
    delimiter: Annotated[
        Delimiter | None, Field(description="the sign between the cells of .csv or .tsv; null: comma or tab"), LATER
    ] = None
    encoding: Annotated[Encoding, Field(description="of .csv or .tsv: utf-8, cp1252, utf-16, ..."), LATER] = "utf-8"
    header: Annotated[
        bool, Field(description="whether the first row names the columns; false: they are called 1, 2, 3, ..."), LATER
    ] = True
    index: Annotated[
        bool,
        Field(description="whether rows may begin with a cell that the header does not name; it is skipped"),
        LATER,
    ] = False
    decimal: Annotated[Literal[".", ","], Field(description="the sign before the decimals of numbers"), LATER] = "."
    thousands: Annotated[
        Literal[",", ".", " ", "'"] | None, Field(description="the sign between groups of digits of numbers"), LATER
    ] = None

    @property
    def may_be_unknown(self) -> str:
        """See :class:`DataSpec`."""
        if self.labels.unknown:
            return "dataset.labels.unknown"
        second = self.labels.second_column
        return f"dataset.labels.{second[1]}" if second else super().may_be_unknown

    @property
    def has_fixed_parts(self) -> bool:
        """Whether the validation part has the same rows for every seed."""
        return self.split is not None or super().has_fixed_parts

    def content(self) -> dict[str, Any]:
        """Return what the block defines, without the paths of the table, of its vectors and of its images."""
        content = super().content()
        content.get("images", {}).pop("folder", None)
        for one in content.get("vectors", ()):
            del one["file"]
        return content

    @model_validator(mode="after")
    def _columns_once(self) -> TableSpec:
        inputs = [*self.text, *(one.column for one in self.lists), *self.numeric, *self.categories]
        inputs += [one.column for one in self.vectors]
        inputs += [self.images.column] if self.images else []
        if not inputs:
            raise ValueError(
                "needs at least one input: name columns under text, lists, numeric, categories, vectors or images"
            )
        second = self.labels.second_column
        others = [self.labels.column, *(self.labels.columns or ()), *(second or ())[:1], self.split, self.weight]
        used = inputs + [name for name in others if name is not None]
        if twice := sorted({name for name in used if used.count(name) > 1}):
            raise ValueError(f"names a column twice: {', '.join(twice)}; name it once")
        of_tokens = [one.column for one in self.tokens]
        if other := [name for name in of_tokens if name not in self.text or of_tokens.count(name) > 1]:
            raise ValueError(f"tokens: {other[0]!r} must be one of the columns under text, and named once")
        if self.split and self.test == "repeated":
            raise ValueError(
                "split says which rows are the test part, so test: repeated has no effect; leave one of them out"
            )
        if self.thousands == self.decimal:
            raise ValueError(f"thousands and decimal must be different signs; given {self.decimal!r} for both")
        if self.split and self.validation != "stratified":
            raise ValueError(
                f"split says which rows are the validation part, so validation: {self.validation} has no effect; "
                "leave one of them out"
            )
        return self

    @model_validator(mode="after")
    def _images_with_backbone(self) -> TableSpec:
        if self.images and self.backbone is None:
            raise ValueError(
                "images needs a backbone, the frozen network that turns them into numbers: backbone: "
                "{kind: efficientnet_lite0}"
            )
        if self.backbone is None:
            return self
        if self.images is None:
            raise ValueError("backbone has no effect without images; name their column, or leave backbone out")
        beside = {key: getattr(self, key) for key in ("text", "lists", "numeric", "categories", "vectors")}
        if self.backbone.output == "last_block" and (given := [key for key, columns in beside.items() if columns]):
            raise ValueError(
                f"backbone.output: last_block gives the network images alone, and would ignore {', '.join(given)}; "
                "use output: pooled, or leave them out"
            )
        return self
