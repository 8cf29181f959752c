"""All probes are made, recorded and printed, once the record answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from rarelabels.errors import UserError
from rarelabels.probes import all_probes, probe, run_probes
from rarelabels.probes.probe import Probe
from rarelabels.record import connection, queries


def half(number: float) -> Probe:
    return Probe("half", "three_classes", "it is", "it is", lambda: {"half": number}, "{half:.2f}", {"half": 0.5})


@pytest.mark.parametrize(("number", "complaints"), [(0.5, 0), (0.6, 1)])
def test_what_is_not_as_pinned_is_returned(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    number: float,
    complaints: int,
) -> None:
    where = f"sqlite:///{tmp_path / 'mlflow.db'}"
    monkeypatch.setattr(all_probes, "PROBES", (half(number),))
    changed = run_probes.run(where, as_markdown=True)
    assert len(changed) == complaints
    assert all(line.startswith("the world changed: half: half: pinned 0.5, observed 0.6") for line in changed)
    printed = capsys.readouterr()
    assert "| `half` |" in printed.out
    assert printed.err == "\nRecorded in the experiment rarelabels/probes: `rarelabels ui`\n"
    client = connection.connect(where)
    assert queries.find_experiment(client, "probes") is not None


def test_a_record_that_does_not_answer_is_said_before_the_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []
    monkeypatch.setattr(probe, "observe_all", made.append)
    with pytest.raises(UserError, match="does not answer"):
        run_probes.run("http://127.0.0.1:9", as_markdown=False)
    assert made == []
