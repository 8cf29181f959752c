"""The ``dataset`` block: one class for each kind of data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator

from rarelabels.declare.backbones import Backbone
from rarelabels.declare.data_spec import DataSpec
from rarelabels.declare.own import OwnData
from rarelabels.declare.own_kinds import with_own
from rarelabels.declare.table import TableSpec
from rarelabels.spec import DISTINCT, Count, Name, Positive, Probability


class MoviesSpec(DataSpec):
    """The films of bokeh_sampledata: genres from cast, title, features and reviews."""

    kind: Literal["movies"]
    labels: Annotated[
        Annotated[int, Field(ge=2, le=21)] | Annotated[tuple[Name, ...], Field(min_length=2)], DISTINCT
    ] = Field(17, description="the labels: how many of the most frequent genres, or a list of genres in their order")
    rows: Literal["all", "any_label", "one_label"] = Field(
        "all", description="all films, those with at least one of the labels, or those with exactly one"
    )


class WikipediaMoviesSpec(DataSpec):
    """The films of ``wikipedia-movie-data``: genres from actors, title, year and plot (the article's extract)."""

    kind: Literal["wikipedia_movies"]
    labels: Annotated[int, Field(ge=2, le=41, description="how many of the most frequent genres are labels")] = 17
    mask_label_words: bool = Field(
        True, description="remove the names of genres from the plot, because they give labels away"
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

    @property
    def has_fixed_parts(self) -> bool:
        """All three parts are the same seven rows."""
        return True

    @model_validator(mode="after")
    def _one_part(self) -> ThreadRowsSpec:
        if self.validation != "stratified" or self.train_fraction < 1 or self.hide or self.test != "fixed":
            raise ValueError(
                "validation, test, train_fraction and hide have no effect: all three parts are the same seven rows; "
                "leave them out"
            )
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
    sets: Annotated[int, Field(ge=2)] | None = Field(
        None, description="with dependence label_sets: the number of different label sets"
    )
    scale: Positive = Field(
        2.0, description="standard deviation of the logits: the larger it is, the more the numbers decide"
    )
    prevalence: Probability = Field(
        0.5, description="with dependence independent: the prevalence whose log odds are the centre of the logits"
    )
    drawn_by: Annotated[int, Field(ge=0)] = Field(
        0, description="seed of the simulation; the data are the same for all seeds of a trial"
    )

    @model_validator(mode="after")
    def _sets_of_labels(self) -> SimulatedSpec:
        if (self.dependence == "label_sets") != (self.sets is not None):
            raise ValueError("dependence: label_sets needs sets, and no other dependence takes it")
        if self.sets is not None and self.sets > 2**self.labels:
            raise ValueError(
                f"sets must be at most {2**self.labels}, the number of different sets of "
                f"{self.labels} labels; given {self.sets}"
            )
        if self.dependence == "label_sets" and self.prevalence != SimulatedSpec.model_fields["prevalence"].default:
            raise ValueError("prevalence has no effect with dependence: label_sets; leave it out")
        return self


class ImagesSpec(DataSpec):
    """What every kind of images may declare."""

    backbone: Backbone = Field(description="the frozen network that turns an image into numbers")


class EmojiSpec(ImagesSpec):
    """Emoji: what is in the picture, from images, names, categories and keywords of three packages."""

    kind: Literal["emoji"]
    labels: Annotated[int, Field(ge=2, le=2000)] = Field(
        1000, description="the labels: how many of the attributes that most base emoji have"
    )


class DeepFashionSpec(ImagesSpec):
    """DeepFashion's category and attribute benchmark, in its official layout, with its official parts."""

    kind: Literal["deepfashion"]
    labels: Annotated[int, Field(ge=2, le=1000)] = Field(
        1000, description="how many of the most frequent attributes are labels"
    )
    zero: Literal["negative", "positive", "unknown"] = Field(
        description="what the annotation 0 counts as; unknown: it is left out of training and of every metric"
    )

    @property
    def may_be_unknown(self) -> str:
        """See :class:`DataSpec`."""
        return "dataset.zero" if self.zero == "unknown" else super().may_be_unknown

    @property
    def has_fixed_parts(self) -> bool:
        """The parts are the official ones."""
        return True

    @model_validator(mode="after")
    def _official_parts(self) -> DeepFashionSpec:
        if self.test == "repeated":
            raise ValueError("the official parts say which rows are the test part; leave test: repeated out")
        if self.validation == "last_rows":
            raise ValueError("the official parts say which rows are the validation part; leave last_rows out")
        return self


OurData = (
    MoviesSpec
    | WikipediaMoviesSpec
    | TableSpec
    | XedSpec
    | MulanSpec
    | ThreadRowsSpec
    | SimulatedSpec
    | EmojiSpec
    | DeepFashionSpec
)
if TYPE_CHECKING:
    DatasetSpec = OurData | OwnData
else:
    DatasetSpec = with_own(OurData, "rarelabels.datasets", OwnData)


def backbone_of(spec: DatasetSpec) -> Backbone | None:
    """Return the frozen network that turns the images of some data into numbers; None for data without images."""
    return spec.backbone if isinstance(spec, ImagesSpec | TableSpec) else None
