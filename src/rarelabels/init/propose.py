"""A study on a table: its declarations as text, checked by the loader that will read them, and written all or none.

The base that all trials extend (``conf/base.yaml``) and the schema for editors are written where there are none, so
that a study works in any folder.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from rarelabels.data import splits
from rarelabels.declare import as_yaml, find
from rarelabels.declare.data import ListColumn, TableLabels, TableSpec
from rarelabels.declare.declarations import load_study
from rarelabels.declare.models import TextBagSpec
from rarelabels.errors import UserError
from rarelabels.init.look import Look
from rarelabels.init.templates import (
    BASE,
    BOOSTING,
    DATASET,
    DEEP,
    EACH_TUNED,
    FLOORS,
    LINEAR,
    LOSSES,
    OF_BOOSTING,
    OF_DEEP,
    SAME_SETTINGS,
    STUDY,
)

BASE_FILE, SCHEMA_FILE = Path("conf/base.yaml"), Path("conf/trial.schema.json")

# Few rows need small batches for enough steps. The epoch kept is the best one, and training ends when validation has
# stood still, so that a bound that is too high costs time alone.
BATCHES = ((2_000, 64), (10_000, 128))  # up to so many rows: rows of a batch
LARGE_BATCH = 512
LEAST_STEPS, PASSES = 3_000, 10  # a training is bounded by so many steps, or passes over many rows
SHORTEST_EPOCH, LONGEST_EPOCH = 25, 100  # steps after which validation is looked at, but for very many rows
LONG_PASS = 400  # steps; then validation is looked at after a quarter of it
PATIENCE = 8  # epochs
TRAININGS = 6  # of each search
FEW_ROWS, SEARCH_SEEDS = 5_000, 3  # one seed's validation part is too small there to choose settings by
TRAINING_SHARE = (1 - splits.TEST_SHARE) * (1 - splits.VALIDATION_SHARE)  # of all rows
HIDDEN = 256
MAX_LENGTH = 256  # tokens of a text that are read
DEFAULT_LENGTH = TextBagSpec.model_fields["max_length"].default
# By macro average precision on validation: of 10,000 beginnings of articles 0.416 with 0.05 and 0.397 with 0.2; of
# sentences, titles and names 0.1 or 0.2 was best.
L2, LONG_L2 = 0.2, 0.05
LINE = 118
# What is no text in YAML of one version or another.
OTHERWISE = ("null", "true", "false", "yes", "no", "on", "off", "y", "n")


# The study's name


def study_name(path: Path, asked: str | None, folder: Path) -> str:
    """Return the name of the study, which is its folder and its make target: as asked, or from the file's name.

    Raises:
        UserError: a name that can be no folder or no target, or one whose files are there.
    """
    targets = re.findall(r"^([\w-]+):", _makefile(folder), re.MULTILINE)  # what a study must not hide
    if asked is None:
        stem = path.name
        while (suffix := Path(stem).suffix.lower()) in (".csv", ".tsv", ".jsonl", ".parquet", ".gz"):
            stem = stem[: -len(suffix)]
        name = re.sub(r"[^\w-]+", "_", stem).strip("_-")[:60]
        name += "_table" if name in targets else ""
        if not name:
            raise UserError(f"{path}: its name gives no name for a study; say one with --name")
    else:
        name = asked
        if not re.fullmatch(r"[^\W_][\w-]{0,99}", name):
            raise UserError(
                f"--name: names a folder; allowed letters, digits, _ and -, a letter or digit first; given {name!r}"
            )
        if name in targets:
            raise UserError(f"--name: `make {name}` is something else already; choose another name")
    for target in (Path("experiments", name), _dataset_file(name)):
        if os.path.lexists(folder / target):
            raise UserError(
                f"{target} is there already, and nothing is overwritten; choose another --name, or remove it"
            )
    return name


def has_makefile(folder: Path) -> bool:
    """Return whether a study in ``folder`` is a make target, as with the Makefile of Rarelabels."""
    return "rarelabels" in _makefile(folder).lower()


def _makefile(folder: Path) -> str:
    path = folder / "Makefile"
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def _dataset_file(name: str) -> Path:
    return Path("conf/datasets", f"{name}.yaml")


# The declarations


def search_seeds(look: Look) -> int:
    """Return with how many seeds each setting is tried."""
    return SEARCH_SEEDS if look.rows <= FEW_ROWS else 1


def declarations(look: Look, name: str, folder: Path, settings: int = TRAININGS) -> dict[Path, str]:
    """Return the text of every file of a study below ``folder``, by its path there.

    Args:
        look: at the table.
        name: of the study.
        folder: where it is written to.
        settings: how many are tried for each network before it is run; 0 for none.
    """
    study = Path("experiments", name)
    editor = f"# yaml-language-server: $schema=../../{SCHEMA_FILE.as_posix()}\nextends: _base.yaml\n"
    of_words = _has_words(look.spec)
    budget = {"TRAININGS": str(settings), "SEEDS": str(search_seeds(look))}
    values = {
        "LINEAR_MODEL": _linear(look.spec),
        "TITLE": _scalar(f"The table {Path(look.spec.path).name}"),
        "BASELINES": "linear" if of_words else "linear, gradient_boosting",
        "PROTOCOL": _filled(EACH_TUNED, budget) if settings else SAME_SETTINGS,
    }
    files = {
        BASE_FILE: BASE,
        SCHEMA_FILE: json.dumps(as_yaml.json_schema(), indent=2) + "\n",
        _dataset_file(name): DATASET + "".join(_dataset(look.spec, folder)),
        study / "_base.yaml": _base(look, name),
        study / "study.yaml": _filled(STUDY + (OF_DEEP if of_words else OF_BOOSTING), values),
    }
    texts = trials(look.spec)
    return files | {study / f"{trial}.yaml": editor + _filled(text, values) for trial, text in texts.items()}


def trials(spec: TableSpec) -> dict[str, str]:
    """Return the text of each trial that suits a table, by its short name."""
    own = {"deep": DEEP} if _has_words(spec) else {"gradient_boosting": BOOSTING}
    return FLOORS | {"linear": LINEAR} | own | LOSSES


def _linear(spec: TableSpec) -> str:
    grid = "0.3, 1.0, 3.0, 10.0, 30.0" if _has_words(spec) else "0.0001, 0.001, 0.01, 0.1"
    return f"c: [{grid}]{_numeric_weight(spec)}"


def _numeric_weight(spec: TableSpec) -> str:
    """Return a factor on numbers beside words, so that they do not drown these: 0.15 over the root of their count.

    On folds of validation of four tables of films, 0.05 to 0.2 was best for two or three numbers, or 0.008 behind it.
    """
    if not (_has_words(spec) and spec.numeric):
        return ""
    return f", numeric_weight: {0.15 / len(spec.numeric) ** 0.5:.2g}"


def _filled(text: str, values: Mapping[str, str]) -> str:
    return re.sub("|".join(values), lambda found: values[found[0]], text)


def _has_words(spec: TableSpec) -> bool:
    return bool(spec.text or spec.lists)


def _base(look: Look, name: str) -> str:
    batch = next((batch for rows, batch in BATCHES if look.rows <= rows), LARGE_BATCH)
    of_pass = max(1, int(look.rows * TRAINING_SHARE) // batch)
    epoch = of_pass // 4 if of_pass > LONG_PASS else min(max(of_pass, SHORTEST_EPOCH), LONGEST_EPOCH)
    steps = max(LEAST_STEPS, PASSES * of_pass)
    if _has_words(look.spec):
        longest = min(max(look.lengths.values()), MAX_LENGTH)
        is_long = longest > DEFAULT_LENGTH
        length, penalty = (f", max_length: {-(-longest // 8) * 8}", LONG_L2) if is_long else ("", L2)
        weight = _numeric_weight(look.spec)
        model = f"{{kind: text_bag, width: 0, wide: true, l2: {penalty}, bias: prevalence{length}{weight}}}"
        kind, rate = "logistic regression on TF-IDF, trained by the loss of each trial", "3.0e-2"
    else:
        model = f"{{kind: mlp, hidden: [{HIDDEN}], l2: 10.0, bias: prevalence}}"
        kind, rate = "one hidden layer", "1.0e-3"
    return (
        f"# Proposed by `rarelabels init` for {look.rows:,} rows: {kind}.\n"
        f"# All trials have the same bound on steps, and end when validation has stood still for {PATIENCE} epochs.\n"
        f"extends: ../../{_dataset_file(name).as_posix()}\n"
        f"model: {model}\n"
        f"training:\n"
        f"  {{steps: {steps}, evaluate_every: {epoch}, patience: {PATIENCE}, batch_size: {batch}, "
        f"learning_rate: {rate}}}\n"
    )


def _dataset(spec: TableSpec, folder: Path) -> Iterable[str]:
    """Yield the lines of the dataset block."""
    file, place = Path(spec.path).absolute(), (folder / "conf/datasets").resolve()
    path = Path(os.path.relpath(file.parent.resolve() / file.name, place)).as_posix()
    yield f"  path: {_scalar(path)}\n"
    yield from _entry("labels", _labels(spec.labels))
    if spec.text:
        yield from _list("text", map(_scalar, spec.text))
    if spec.lists:
        yield from _list("lists", map(_list_column, spec.lists))
    if spec.numeric:
        yield from _list("numeric", map(_scalar, spec.numeric))
    for key, column in (("id", spec.id), ("group", spec.group), ("split", spec.split)):
        if column is not None:
            yield f"  {key}: {_scalar(column)}\n"


def _labels(labels: TableLabels) -> dict[str, Iterable[str] | str]:
    values: dict[str, Iterable[str] | str] = {}
    for key, value in (("column", labels.column), ("separator", labels.separator), ("prefix", labels.prefix)):
        if value is not None:
            values[key] = _scalar(value)
    if labels.columns is not None:
        values["columns"] = map(_scalar, labels.columns)
    return values | ({"min_rows": str(labels.min_rows)} if labels.min_rows > 1 else {})


def _list_column(one: ListColumn) -> str:
    separator = "" if one.separator is None else f", separator: {_scalar(one.separator)}"
    return f"{{column: {_scalar(one.column)}{separator}}}"


def _entry(key: str, values: Mapping[str, Iterable[str] | str]) -> Iterable[str]:
    if all(isinstance(value, str) for value in values.values()):
        yield f"  {key}: {{{', '.join(f'{name}: {value}' for name, value in values.items())}}}\n"
        return
    yield f"  {key}:\n"
    for name, value in values.items():
        if isinstance(value, str):
            yield f"    {name}: {value}\n"
        else:
            yield from (f"  {line}" for line in _list(name, value))


def _list(key: str, items: Iterable[str]) -> Iterable[str]:
    """Yield a list in as few lines as fit."""
    line = f"  {key}: ["
    for number, item in enumerate(items):
        line += ", " if number else ""
        if len(line) + len(item) > LINE and number:
            yield f"{line.rstrip()}\n"
            line = "    "
        line += item
    yield f"{line}]\n"


def _scalar(text: str) -> str:
    """Return text as YAML 1.2: bare words as they are, anything else in double quotes."""
    if re.fullmatch(r"[A-Za-z_][\w./-]*", text, re.ASCII) and text.lower() not in OTHERWISE:
        return text
    escapes = {'"': '\\"', "\\": "\\\\"}
    return (
        '"' + "".join(escapes.get(sign, sign if sign.isprintable() else f"\\U{ord(sign):08x}") for sign in text) + '"'
    )


# Writing


def write(files: Mapping[Path, str], name: str, folder: Path) -> list[Path]:
    """Write the declarations of a study below ``folder``, all or none; return what was written, in order.

    They are laid out in a temporary folder beside, loaded there as a run would load them, and moved when all are right.
    What all studies share is left as it is where it is there.

    Raises:
        UserError: a file is there, cannot be written, or does not load: with the base of the folder, for one.
    """
    try:
        with tempfile.TemporaryDirectory(prefix=".rarelabels-init-", dir=folder) as stage:
            _lay_out(files, Path(stage), folder)
            _check(Path(stage), name, folder)
            return _move(files, Path(stage), name, folder)
    except OSError as error:
        raise UserError(f"{error.filename}: cannot be written: {error.strerror}; nothing is changed") from None


def _lay_out(files: Mapping[Path, str], stage: Path, folder: Path) -> None:
    for path, text in files.items():
        (stage / path).parent.mkdir(parents=True, exist_ok=True)
        if path == BASE_FILE and (folder / path).exists():
            shutil.copyfile(folder / path, stage / path)
        else:
            (stage / path).write_text(text, encoding="utf-8")


def _check(stage: Path, name: str, folder: Path) -> None:
    """Load every trial and the study, as a run would."""
    study = stage / "experiments" / name
    try:
        find.load_many([str(path) for path in sorted(study.glob("[!_]*.yaml")) if path.name != "study.yaml"])
        load_study(study)
    except UserError as error:
        below = f"{stage.resolve().relative_to(folder.resolve())}/"
        reason = str(error).replace(f"{stage.resolve()}/", "").replace(below, "").splitlines()[0]
        hint = "; columns that begin alike need no list: --labels 'is_*'" if "too long" in reason else ""
        raise UserError(f"the proposal does not load, and nothing is written: {reason}{hint}") from None


def _move(files: Mapping[Path, str], stage: Path, name: str, folder: Path) -> list[Path]:
    """Move what was laid out to its place; the folder of the trials last, for it makes the study one."""
    study = Path("experiments", name)
    single = [path for path in files if not path.is_relative_to(study)]
    made: list[Path] = []
    try:
        for path in single:
            if path in (BASE_FILE, SCHEMA_FILE) and (folder / path).exists():
                continue
            made += _make_folders((folder / path).parent)
            with (folder / path).open("x", encoding="utf-8") as file:
                made.append(folder / path)
                file.write((stage / path).read_text(encoding="utf-8"))
        made += _make_folders((folder / study).parent)
        if os.path.lexists(folder / study):
            raise FileExistsError(0, "it is there already", str(study))
        (stage / study).rename(folder / study)
    except BaseException:
        _undo(made)
        raise
    return [one.relative_to(folder) for one in made if one.is_file()] + [path for path in files if path not in single]


def _make_folders(folder: Path) -> list[Path]:
    """Make a folder and those above it; return the new ones, the outermost first."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return missing[::-1]


def _undo(made: Iterable[Path]) -> None:
    for path in reversed(list(made)):
        with suppress(OSError):  # a folder in which something else has come to be stays
            path.rmdir() if path.is_dir() else path.unlink()
