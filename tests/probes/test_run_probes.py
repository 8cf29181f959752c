"""All probes are made, recorded and printed, once the record answers; by the command too."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from halves import halves
from rarelabels import cli
from rarelabels.errors import UserError
from rarelabels.learn.tensorflow_setup import keras
from rarelabels.probes import all_probes, run_probes
from rarelabels.probes import probe as probes_probe
from rarelabels.probes.probe import Observation, Probe
from rarelabels.record import connection, queries
from recorded_probes import only_run

NAMES = [probe.name for probe in all_probes.PROBES]


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
    assert all(
        line.startswith("probe half: the libraries have changed: half: pinned 0.5, observed 0.6") for line in changed
    )
    printed = capsys.readouterr()
    assert "| `half` |" in printed.out
    assert printed.err == "\nRecorded in the experiment rarelabels/probes: `rarelabels ui`\n"
    client = connection.connect(where)
    assert queries.find_experiment(client, "probes") is not None


def test_a_record_that_does_not_answer_is_said_before_the_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []
    monkeypatch.setattr(probes_probe, "observe_all", made.append)
    with pytest.raises(UserError, match="does not answer"):
        run_probes.run("http://127.0.0.1:9", as_markdown=False)
    assert made == []


def test_the_command_prints_and_records_all(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, observed: Callable[[str], Observation]
) -> None:
    monkeypatch.setattr(probes_probe, "observe_all", lambda asked: [observed(probe.name) for probe in asked])
    answer = CliRunner().invoke(cli.app, ["probes"])
    assert answer.exit_code == 0, answer.output
    for probe in all_probes.PROBES:
        for text in (f"{probe.name}: as pinned", probe.believed, probe.documented, observed(probe.name).text):
            assert text in answer.stdout, text
    assert f"{len(NAMES)} probes, 0 changed; observed with keras {keras.__version__}" in answer.stdout
    assert not re.search(r" +\n", answer.stdout)
    client, run = only_run(where)
    expected = {
        f"probe/{name}/{number}": value
        for name in NAMES
        for number, value in observed(name).numbers.items()
        if not isinstance(value, str)
    }
    assert run.data.metrics == pytest.approx(expected | {"probes": len(NAMES), "changed": 0})
    assert run.data.tags["kind"] == "probes"
    assert {name: run.data.tags[name.replace("-", "_")] for name in probes_probe.versions()} == probes_probe.versions()
    table = json.loads(
        Path(client.download_artifacts(run.info.run_id, "probes.json", str(tmp_path))).read_text("utf-8")
    )
    rows = [dict(zip(table["columns"], row, strict=True)) for row in table["data"]]
    assert [row["probe"] for row in rows] == NAMES
    assert rows[0]["numbers"] == observed(NAMES[0]).numbers
    assert all(row["as_pinned"] for row in rows)


def test_the_command_fails_when_the_world_changed(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(all_probes, "PROBES", (halves(0.6),))
    answer = CliRunner().invoke(cli.app, ["probes", "--format", "markdown"])
    assert answer.exit_code == 1
    assert "| `halves` | halves are halves (three_classes) | a half is a half | CHANGED: half: pinned" in answer.stdout
    assert (
        "rarelabels: probe halves: the libraries have changed: half: pinned 0.5, observed 0.6, with keras"
        in answer.stderr
    )
    _, run = only_run(where)
    assert run.data.metrics == {"probes": 1, "changed": 1, "probe/halves/half": 0.6}
    assert run.data.tags["changed"] == "halves"
    assert run.data.tags["notes"].startswith("probe halves: the libraries have changed")
