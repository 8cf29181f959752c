"""The record of a rule: what is known of it before any row is seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from rarelabels.judging.rules.definition import Rule
    from rarelabels.judging.rules.rows import Rows

Choose: TypeAlias = "Callable[[RuleKind, Rows], Rule]"


def half_without_positives(kind: RuleKind, rows: Rows) -> Rule:
    """Return 0.5 for every label, each counted as a fallback."""
    return rows.rule(kind.name, rows.HALF, rows.n_labels)


@dataclass(frozen=True)
class RuleKind:
    """What is known of a rule before any row is seen; a rule with its thresholds is a ``definition.Rule``.

    Attributes:
        name: as it is declared and recorded.
        words: what it is called in a sentence that says what to use.
        chosen_on: the part that chooses it; ``nothing`` for a rule that is the same for all scores, ``search`` where
            Optuna searches it, ``model`` where the model assigns the labels itself.
        best_for: the decision metric it is chosen for; ``objective``: that of the declared thresholds.
        choose: gives the rule for rows of which at least one has a label; None where no rows choose the rule.
        fallback: gives the rule for rows of which none has a label: they cannot choose.
        compared_by: the decision metrics by which tables compare it with other rules.
        on_validation: whether it is also measured on the whole validation part.
        is_of_row: whether it looks at the order of a row's scores, and not at thresholds alone.
        remark: what headers of tables say below its name.
        colour: of figures; a name of ``house_style``.
    """

    name: str
    words: str
    chosen_on: Literal["nothing", "validation", "test", "search", "model"] = "validation"
    best_for: str = ""
    choose: Choose | None = None
    fallback: Choose = half_without_positives
    compared_by: tuple[str, ...] = ()
    on_validation: bool = False
    is_of_row: bool = False
    remark: str = ""
    colour: str = "grey"

    @property
    def header(self) -> str:
        """The header of its column in a table, in short lines."""
        name = self.name.replace("_", " ", 1).replace("_", "\n")
        return f"{name}\n({self.remark})" if self.remark else name

    @property
    def label(self) -> str:
        """Its name in the legend of a figure. A rule chosen on test is marked there: a bound is no result."""
        return f"{self.name} ({self.remark})" if self.chosen_on == "test" else self.name
