"""What every kind of data may declare."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from rarelabels.spec import LATER, Probability, Spec


class HiddenPositives(Spec):
    """Positives of the training and validation part that are hidden at random, as if nobody had annotated them."""

    keep: Probability | Literal["one"] = Field(
        description="share of the positives that are left, or one: a row keeps one of its labels"
    )
    taken_as: Literal["negative", "unknown"] = Field(description="what a hidden positive counts as")


class DataSpec(Spec):
    """What every kind of data may declare."""

    validation: Literal["stratified", "last_rows", "cross_validated"] = Field(
        "stratified",
        description="which rows outside the test part are the validation part. stratified: an eighth, stratified, "
        "another one for each seed; last_rows: the last eighth in the order of the source, as Keras's "
        "validation_split takes it; cross_validated: all of them, each scored by a model that was "
        "trained on the other folds",
    )
    test: Annotated[Literal["fixed", "repeated"], LATER] = Field(
        "fixed",
        description="fixed: one test part for all seeds, a fifth of the rows, stratified; repeated: another one for "
        "each seed, so that results on few rows do not hang on one fifth of them (docs/intervals.md says what changes)",
    )
    train_fraction: Annotated[float, Field(gt=0, le=1)] = Field(
        1.0, description="share of the training part that is kept, drawn by the seed; the other parts stay whole"
    )
    hide: Annotated[
        HiddenPositives | None,
        Field(description="positives that are hidden from training and validation, drawn by the seed; never in test"),
        LATER,
    ] = None

    @property
    def may_be_unknown(self) -> str:
        """The dotted key that says that labels may be unknown; empty if all are known."""
        return "dataset.hide.taken_as" if self.hide and self.hide.taken_as == "unknown" else ""

    @model_validator(mode="after")
    def _whole_folds(self) -> Self:
        if self.validation == "cross_validated" and self.train_fraction < 1:
            raise ValueError("train_fraction must be 1 with validation: cross_validated, because all rows are scored")
        return self

    @property
    def has_fixed_parts(self) -> bool:
        """Whether validation and test part have the same rows for every seed."""
        return self.validation != "stratified" and self.test == "fixed"

    def content(self) -> dict[str, Any]:
        """Return what the block defines, without paths: the digest of the files' content says which data they are."""
        content = self.defined()
        content.pop("path", None)
        content.get("backbone", {}).pop("file", None)
        return content
