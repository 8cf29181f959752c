"""Names as people have them, which matplotlib, MLflow, rich, HTML or spreadsheets read as something else."""

from __future__ import annotations

FORMULAS = ("$x_1$", "cost $x^{$", "\\frac", "a\\$b", "10 $")
ODD = (
    *FORMULAS,
    *(
        "[bold]",
        "[/]",
        ":cat:",
        "<script>alert(1)</script>",
        "a&b",
        "a/b",
        "a_b_1",
        "a|b",
        "`code`",
        "=1+1",
        "-2",
        "@x",
    ),
    *("../x", "_hidden", "x" * 300, "x" * 299 + "y", "猫が好き", "😀 joy", "{}%s", '"quoted"', "it's"),
)
