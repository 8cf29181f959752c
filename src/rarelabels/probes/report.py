"""Show observations: a list for a terminal, and the page ``docs/probes.md``."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill

from rich.console import Console
from rich.text import Text

from rarelabels.probes.probe import Observation, versions

WIDE = 10_000  # columns of the console if there is no terminal, so that no line is wrapped
INDENT = " " * 14
BAR = "\\|"  # an escaped bar in a cell of a Markdown table
PAGE = """# Probes: what these versions really do with multi-hot labels

Observed with {versions}. This page is the output of

```
.venv/bin/rarelabels probes --format markdown > docs/probes.md
```

`make probes` runs them again (in less than a minute, without data) and fails if one has changed. Each is a few lines in
[`src/rarelabels/probes`](../src/rarelabels/probes).

| probe | believed | documented | observed here |
|---|---|---|---|
{rows}
"""


def print_observations(observations: Sequence[Observation]) -> None:
    """Print a block for each probe on stdout: the belief, the documentation, and the observation."""
    console = Console(highlight=False)
    width = console.width if console.is_terminal else WIDE
    for one in observations:
        probe = one.probe
        console.print(Text(f"{probe.name}: {'as pinned' if one.is_as_pinned else 'CHANGED'}", style="bold"))
        said = {"believed": f"{probe.believed} ({probe.thread})", "documented": probe.documented, "observed": one.text}
        for field, text in said.items():
            console.print(
                Text(fill(text, width, initial_indent=f"  {field:12}", subsequent_indent=INDENT)), soft_wrap=True
            )
    changed = sum(not one.is_as_pinned for one in observations)
    console.print(f"\n{len(observations)} probes, {changed} changed; observed with {_installed()}", soft_wrap=True)


def markdown(observations: Sequence[Observation]) -> str:
    """Return the page ``docs/probes.md`` for observations, as Markdown."""
    rows = []
    for one in observations:
        probe = one.probe
        cells = f"`{probe.name}`", f"{probe.believed} ({probe.thread})", probe.documented, one.text
        rows.append(f"| {' | '.join(cell.replace('|', BAR) for cell in cells)} |")
    return PAGE.format(versions=_installed(), rows="\n".join(rows))


def _installed() -> str:
    return ", ".join(f"{name} {number}" for name, number in versions().items())
