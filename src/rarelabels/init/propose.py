"""A study on a table: the text of its declarations, which ``writing`` checks and writes.

The base that all trials extend (``conf/base.yaml``) and the schema for editors are among them, so that a study works in
any folder.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from rarelabels.data import splits
from rarelabels.declare import as_yaml
from rarelabels.declare.models import TextBagSpec
from rarelabels.declare.table import ListColumn, TableLabels, TableSpec, TextTokens, VectorColumn
from rarelabels.init.image_column import FEATURES
from rarelabels.init.look import Look
from rarelabels.init.naming import dataset_file
from rarelabels.init.template_files import FLOORS, LOSSES, text

BASE_FILE, SCHEMA_FILE = Path("conf/base.yaml"), Path("conf/trial.schema.json")
HEAD = f"# yaml-language-server: $schema=../../{SCHEMA_FILE.as_posix()}\nextends: _base.yaml\n"  # of a trial's file
# Few rows need small batches for enough steps. The best epoch is kept, and training ends when the validation metric no
# longer rises. So a bound that is too high costs only time.
BATCHES = ((2_000, 64), (10_000, 128))  # most rows of the table, rows of a batch
LARGE_BATCH = 512
LEAST_STEPS, PASSES = 3_000, 10  # a training has at most so many steps, or passes if they are more steps
SHORTEST_EPOCH, LONGEST_EPOCH = 25, 100  # steps between two looks at validation, but for very many rows
LONG_PASS = 400  # steps; with a longer pass, validation is looked at after each quarter of it
PATIENCE = 8  # epochs
TRAININGS = 6  # settings that each search tries
FEW_ROWS, SEARCH_SEEDS = 5_000, 3  # with few rows, the validation part of one seed is too small to choose settings by
TRAINING_SHARE = (1 - splits.TEST_SHARE) * (1 - splits.VALIDATION_SHARE)  # of all rows
HIDDEN = 256
MAX_LENGTH = 256  # tokens of a text that are read
DEFAULT_LENGTH = TextBagSpec.model_fields["max_length"].default
# Macro average precision on validation: for 10,000 beginnings of articles 0.416 with 0.05 and 0.397 with 0.2. For
# sentences, titles and names 0.1 or 0.2 was best.
L2, LONG_L2 = 0.2, 0.05
LINE = 118
FILE_KEYS = ("delimiter", "encoding", "header", "index", "decimal", "thousands")  # how the file is written
# Words that are not text in some version of YAML.
OTHERWISE = ("null", "true", "false", "yes", "no", "on", "off", "y", "n")


def search_seeds(look: Look) -> int:
    """Return with how many seeds each setting is tried."""
    return SEARCH_SEEDS if look.rows <= FEW_ROWS else 1


def declarations(look: Look, name: str, folder: Path, settings: int = TRAININGS) -> dict[Path, str]:
    """Return the text of every file of a study below ``folder``, by its path there.

    Args:
        look: what is known of the table.
        name: of the study.
        folder: the study is written below it.
        settings: how many settings are tried for each network before it is run; 0 for no search.
    """
    study = Path("experiments", name)
    of_words = _has_words(look.spec)
    tuned = {"trainings": settings, "seeds": search_seeds(look)}
    stated = text(
        "study",
        title=_scalar(f"The table {Path(look.spec.path).name}"),
        baselines="linear" if of_words else "linear, gradient_boosting",
        protocol=(text("each_tuned", **tuned) if settings else text("same_settings")).rstrip("\n"),
    )
    files = {
        BASE_FILE: text("base"),
        SCHEMA_FILE: json.dumps(as_yaml.json_schema(), indent=2, allow_nan=False) + "\n",
        dataset_file(name): text("dataset") + "".join(_dataset(look.spec, folder)),
        study / "_base.yaml": _base(look, name),
        study / "study.yaml": stated + _claim(look),
    }
    return files | {study / f"{trial}.yaml": HEAD + _trial(trial, look) for trial in trials(look.spec, look.valued)}


def _trial(name: str, look: Look) -> str:
    whole = text(f"trials/{name}", linear_model=_linear(look))
    # Keras's metrics count every label, so nothing is watched where some are unknown.
    return re.sub(r"(?m)^watch: .*\n", "", whole) if look.spec.may_be_unknown else whole


def trials(spec: TableSpec, valued: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the short names of the trials that suit a table; only linear models read values of ``valued`` lists."""
    further = () if valued else ("deep" if _has_words(spec) else "gradient_boosting",)
    return (*FLOORS, "linear", *further, *LOSSES)


def _claim(look: Look) -> str:
    """Return the hypothesis about the trial that is neither logistic regression nor one of the losses."""
    if look.valued:
        return ""
    return text("claim_of_deep" if _has_words(look.spec) else "claim_of_boosting")


def _linear(look: Look) -> str:
    grid = "0.3, 1.0, 3.0, 10.0, 30.0" if _has_words(look.spec) else "0.0001, 0.001, 0.01, 0.1"
    return f"c: [{grid}]{_numeric_weight(look)}"


def _numeric_weight(look: Look) -> str:
    """Return a factor on numbers and categories, 0.15 over the root of their count, so that words count for more.

    With cross-validation on four tables of films with two or three numbers, 0.05 to 0.2 was best, or 0.008 behind it.
    Vectors and images say about as much as the words: their norm becomes 1, which is that of the words.
    """
    spec, of_vectors = look.spec, sum(look.vectors.values()) + (FEATURES if look.spec.images else 0)
    beside = len(spec.numeric) + len(spec.categories) + of_vectors
    if not (_has_words(spec) and beside):
        return ""
    return f", numeric_weight: {(1.0 if of_vectors else 0.15) / beside**0.5:.2g}"


def _has_words(spec: TableSpec) -> bool:
    return bool(spec.text or spec.lists)


def _base(look: Look, name: str) -> str:
    batch = next((batch for rows, batch in BATCHES if look.rows <= rows), LARGE_BATCH)
    of_pass = max(1, int(look.rows * TRAINING_SHARE) // batch)
    epoch = of_pass // 4 if of_pass > LONG_PASS else min(max(of_pass, SHORTEST_EPOCH), LONGEST_EPOCH)
    steps = max(LEAST_STEPS, PASSES * of_pass)
    if _has_words(look.spec):
        longest = max(min(length, _longest(look.spec, name)) for name, length in look.lengths.items())
        is_long = longest > DEFAULT_LENGTH
        length, penalty = (f", max_length: {-(-longest // 8) * 8}", LONG_L2) if is_long else ("", L2)
        weight = _numeric_weight(look)
        model = f"{{kind: text_bag, width: 0, wide: true, l2: {penalty}, bias: prevalence{length}{weight}}}"
        kind, rate = "logistic regression on TF-IDF, trained by the loss of each trial", "3.0e-2"
    else:
        model = f"{{kind: mlp, hidden: [{HIDDEN}], l2: 10.0, bias: prevalence}}"
        kind, rate = "one hidden layer", "1.0e-3"
    return text(
        "_base",
        rows=f"{look.rows:,}",
        kind=kind,
        patience=PATIENCE,
        dataset_file=dataset_file(name).as_posix(),
        model=model,
        steps=steps,
        epoch=epoch,
        batch=batch,
        rate=rate,
    )


def _longest(spec: TableSpec, field: str) -> int:
    """Return how many tokens of a field are read at most: several begin at each place of a text cut into n-grams."""
    return MAX_LENGTH * next((one.ngrams[1] - one.ngrams[0] + 1 for one in spec.tokens if one.column == field), 1)


def _dataset(spec: TableSpec, folder: Path) -> Iterable[str]:
    """Yield the lines of the dataset block."""
    place = (folder / "conf/datasets").resolve()
    yield f"  path: {_relative(spec.path, place)}\n"
    yield from _entry("labels", _labels(spec.labels))
    if spec.text:
        yield from _list("text", map(_scalar, spec.text))
    if spec.lists:
        yield from _list("lists", map(_list_column, spec.lists))
    if spec.numeric:
        yield from _list("numeric", map(_scalar, spec.numeric))
    if spec.categories:
        yield from _list("categories", map(_scalar, spec.categories))
    if spec.vectors:
        yield from _list("vectors", (_vectors(one, place) for one in spec.vectors))
    if spec.images and spec.backbone:
        in_folder = "" if spec.images.folder is None else f", folder: {_relative(spec.images.folder, place)}"
        yield f"  images: {{column: {_scalar(spec.images.column)}{in_folder}}}\n"
        yield f"  backbone: {{kind: {spec.backbone.kind}}}\n"
    if spec.tokens:
        yield from _list("tokens", map(_tokens, spec.tokens))
    for key, column in (("weight", spec.weight), ("id", spec.id), ("group", spec.group), ("split", spec.split)):
        if column is not None:
            yield f"  {key}: {_scalar(column)}\n"
    defaults = {name: TableSpec.model_fields[name].default for name in FILE_KEYS}
    for key, default in defaults.items():
        if (value := getattr(spec, key)) != default:
            yield f"  {key}: {str(value).lower() if isinstance(value, bool) else _scalar(value)}\n"


def _relative(path: str, place: Path) -> str:
    """Return the path of a file, as YAML that stands in the folder ``place``."""
    file = Path(path).absolute()
    return _scalar(Path(os.path.relpath(file.parent.resolve() / file.name, place)).as_posix())


def _vectors(one: VectorColumn, place: Path) -> str:
    file = "" if one.file is None else f", file: {_relative(one.file, place)}"
    return f"{{column: {_scalar(one.column)}{file}}}"


def _tokens(one: TextTokens) -> str:
    return f"{{column: {_scalar(one.column)}, of: {one.of}, ngrams: {list(one.ngrams)}}}"


def _labels(labels: TableLabels) -> dict[str, Iterable[str] | str]:
    values: dict[str, Iterable[str] | str] = {}
    for key, value in (("column", labels.column), ("separator", labels.separator), ("prefix", labels.prefix)):
        if value is not None:
            values[key] = _scalar(value)
    if labels.columns is not None:
        values["columns"] = map(_scalar, labels.columns)
    if labels.unknown:
        values["unknown"] = f"[{', '.join(_scalar(str(cell)) for cell in labels.unknown)}]"
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
    """Yield the lines of a list, as few as possible."""
    line = f"  {key}: ["
    for number, item in enumerate(items):
        line += ", " if number else ""
        if len(line) + len(item) > LINE and number:
            yield f"{line.rstrip()}\n"
            line = "    "
        line += item
    yield f"{line}]\n"


def _scalar(text: str) -> str:
    """Return text as a YAML 1.2 scalar: plain words as they are, any other text in double quotes."""
    if re.fullmatch(r"[A-Za-z_][\w./-]*", text, re.ASCII) and text.lower() not in OTHERWISE:
        return text
    escapes = {'"': '\\"', "\\": "\\\\", "\t": "\\t"}
    return (
        '"' + "".join(escapes.get(sign, sign if sign.isprintable() else f"\\U{ord(sign):08x}") for sign in text) + '"'
    )
