"""The command line, a table of contents: each command parses its arguments and calls one function of its room.

``--help``, ``list`` and ``validate`` are instant: they import neither TensorFlow nor MLflow. Results go to stdout;
progress, warnings and errors to stderr. Exit code 0: done; 1: a run failed; 2: the user's mistake, in one line.
"""

from __future__ import annotations

import enum
import json
import sys
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from rarelabels import __version__, csv_tables, packages, stdout
from rarelabels.declare import as_yaml, checking, find, override
from rarelabels.errors import UserError, without_password
from rarelabels.names import separated

MANY_SCORES = 2_000_000  # to judge; fewer take seconds
STOPPED = 130  # typer's exit code for Ctrl-C

app = typer.Typer(
    help="Multi-label classification with rare positives: which loss, weights, threshold and metric?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Names = Annotated[list[str], typer.Argument(help="Trials (movies/focal_auc), studies (movies) or paths to YAML files.")]


class Format(enum.StrEnum):
    """How results are printed."""

    table = "table"
    csv = "csv"


class ProbeFormat(enum.StrEnum):
    """How probes are shown."""

    table = "table"
    markdown = "markdown"


class By(enum.StrEnum):
    """What the columns of results are."""

    metric = "metric"
    rule = "rule"


def _version(wanted: bool) -> None:
    if wanted:
        print(f"rarelabels {__version__}")
        raise typer.Exit


@app.callback()
def options(
    _: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Take the options that come before a command."""


@app.command()
def run(
    names: Names,
    seeds: Annotated[str | None, typer.Option(help="Only these seeds: 0,1")] = None,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", help="Override a key: training.epochs=2; may be given again")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes on this machine; default: one for each core")
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(
            envvar="DASK_SCHEDULER_ADDRESS", metavar="ADDRESS", help="Run on this Dask cluster: tcp://host:8786"
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Repeat runs that are finished")] = False,
    plain: Annotated[
        bool,
        typer.Option(
            "--plain", help="Train with ordinary Keras, to compare; the same as --set training.execution=plain"
        ),
    ] = False,
) -> None:
    """Run trials, record them in MLflow, and print the comparison of their studies.

    A trial that you name and that declares a search is tuned first. The name of a study starts no search, unless its
    study.yaml says `protocol: each_tuned`.
    """
    changes = dict(override.parse_override(text) for text in overrides or [])
    changes |= {"training.execution": "plain"} if plain else {}
    numbers = _seeds(seeds)
    from rarelabels.study import printing, run_trials

    outcome = run_trials.run(names, seeds=numbers, overrides=changes, workers=workers, scheduler=scheduler, force=force)
    try:
        printing.outcome(outcome)
    finally:  # a failed run is an exit code of 1, though nobody reads the comparison
        if outcome.failures:
            raise typer.Exit(1)


@app.command("init")
def init_study(
    file: Annotated[Path, typer.Argument(help="A table: .csv, .tsv, .jsonl, .svm, .arff (also .gz) or .parquet.")],
    labels: Annotated[
        str | None,
        typer.Option(
            help="The column of label names; or 0/1 columns: a,b,c, or 'is_*' (a prefix); for .arff, too: 6 (the first "
            "6), -6 (the last 6), or the XML file that names them"
        ),
    ] = None,
    text: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN", help="A column of prose; may be given again")
    ] = None,
    lists: Annotated[
        list[str] | None,
        typer.Option(
            "--list",
            metavar="COLUMN[:SEPARATOR]",
            help="A column of names or tags, and what separates them; may be given again",
        ),
    ] = None,
    numeric: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN", help="A column of numbers; may be given again")
    ] = None,
    categories: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN", help="A column of one of a few values; may be given again")
    ] = None,
    vectors: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN[=FILE]",
            help="A column of vectors, such as embeddings; =FILE.npy: they are in that file; may be given again",
        ),
    ] = None,
    images: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN[:FOLDER]", help="A column of image files, below the table's folder or the one that you say"
        ),
    ] = None,
    weight: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="A column of numbers above 0: how much a row counts in training"),
    ] = None,
    id_column: Annotated[
        str | None, typer.Option("--id", metavar="COLUMN", help="The column that names each row")
    ] = None,
    group: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="The column of groups; the rows of a group stay in one part")
    ] = None,
    split: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="The column that says train, validation or test")
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN", help="A column that is not used; may be given again")
    ] = None,
    delimiter: Annotated[
        str | None,
        typer.Option(metavar="SIGN", help="What separates the cells of a .csv or .tsv file: ';', '|', 'tab'"),
    ] = None,
    decimal: Annotated[
        str | None, typer.Option(metavar="SIGN", help="What stands before the decimals of numbers: . or ,")
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="The encoding of a .csv or .tsv file, such as cp1252")] = None,
    no_header: Annotated[
        bool, typer.Option("--no-header", help="The first row is data; the columns are called 1, 2, 3, ...")
    ] = False,
    name: Annotated[str | None, typer.Option(help="Name of the study; default: from the file's name")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="No searches: all networks have the same settings")] = False,
    scores: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALIDATION,TEST",
            help="A trial of scores that another program makes, with the paths of its two files; may be given again",
        ),
    ] = None,
) -> None:
    """Look at a table, print what is in it, and write a study for it: experiments/NAME and conf/datasets/NAME.yaml.

    It guesses how the file is written and what each column is, and prints each guess with its reason. An option
    overrules one guess, and no other. No file is overwritten.
    """
    from rarelabels.init import new_study
    from rarelabels.init.column import Wish
    from rarelabels.init.vector_columns import given_vectors

    wish = Wish(
        labels=labels,
        text=tuple(text or ()),
        lists=tuple(lists or ()),
        numeric=tuple(numeric or ()),
        categories=tuple(categories or ()),
        vectors=given_vectors(vectors or ()),
        images=images,
        weight=weight,
        id=id_column,
        group=group,
        split=split,
        ignore=tuple(ignore or ()),
        delimiter="\t" if delimiter in ("tab", "\\t") else delimiter,
        decimal=decimal,
        encoding=encoding,
        header=not no_header,
    )
    new_study.write_study(file, wish, name, each_tuned=not quick, scores=scores or ())


@app.command("list")
def list_trials() -> None:
    """List the declared trials, each with its question."""
    trials = find.load_many([str(path) for path in find.all_trials()])
    width = max((len(trial.name) for trial in trials), default=0)
    for trial in trials:
        print(f"{trial.name:{width}}  {trial.question}")


@app.command()
def validate(
    names: Annotated[list[str] | None, typer.Argument(help="Default: all trials and studies.")] = None,
) -> None:
    """Check declared trials and studies without running them; every problem is reported at once."""
    trials, studies = checking.validate(names or [])
    print(f"{trials} trials and {studies} studies are valid")


@app.command()
def schema() -> None:
    """Print the JSON schema of a trial's YAML file, for editors."""
    print(json.dumps(as_yaml.json_schema(), indent=2, allow_nan=False))


@app.command("export-split")
def export_split(
    names: Names,
    seeds: Annotated[
        str | None, typer.Option(help="Only these seeds: 0,1; default: all that the trials declare")
    ] = None,
    overrides: Annotated[list[str] | None, typer.Option("--set", help="Override a key; may be given again")] = None,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A .csv or .parquet file; default: CSV on stdout")
    ] = None,
) -> None:
    """Write which part each row is in, so that another program trains and scores the same rows: id, part, seed.

    Scores of that program become a trial with model: {kind: scores, validation: FILE, test: FILE}. Such a file has a
    column id and a column score/LABEL (a probability) for each label. Ids are text: if you read the CSV, keep them as
    text; or write Parquet with --output parts.parquet.
    """
    trials = find.load_many(names, dict(override.parse_override(text) for text in overrides or []))
    numbers = _seeds(seeds)
    from rarelabels.data import split_table

    table = split_table.of_trials(trials, numbers)
    if output is None:
        print(csv_tables.text(table), end="")
    else:
        split_table.write(table, output)


@app.command()
def results(
    name: Annotated[str, typer.Argument(metavar="STUDY", help="A study: movies")],
    by: Annotated[
        By, typer.Option(help="Columns: metric; or rule, for every loss under every threshold rule")
    ] = By.metric,
    metric: Annotated[
        str | None, typer.Option(help="One test metric, such as samples_jaccard, under every rule that has it")
    ] = None,
    output: Annotated[
        Format, typer.Option("--format", help="table; or csv, with a row for each run, overridden runs too")
    ] = Format.table,
) -> None:
    """Print what is recorded of a study: means with 95 % intervals over seeds and test rows, floors, and ties."""
    from rarelabels.study import printing

    printing.results(name, by_rule=by is By.rule, metric=metric, as_csv=output is Format.csv)


@app.command()
def ui(
    port: Annotated[int, typer.Option(min=1, max=65535)] = 5000,
    host: Annotated[
        str,
        typer.Option(
            help="Address of the page; with another one, other machines may open it, with MLflow's basic auth"
        ),
    ] = "127.0.0.1",
) -> None:
    """Open MLflow's page on the record until Ctrl-C, and print a link to each study.

    Without --host, only this machine can open the page. For other machines, set MLFLOW_AUTH_ADMIN_PASSWORD to the
    administrator's password before the first start. A start with another password changes it.
    """
    from rarelabels.show.ui import open_ui

    open_ui(_record(), host, port, lambda line: print(line, flush=True))


@app.command()
def findings(
    name: Annotated[str | None, typer.Argument(metavar="STUDY", help="A study: movies. Default: all.")] = None,
    output: Annotated[
        Format, typer.Option("--format", help="table; or csv, with a row for each hypothesis")
    ] = Format.table,
    keep_first_seen: Annotated[
        bool, typer.Option("--keep-first-seen", help="Write experiments/STUDY/_first_seen.yaml, to commit")
    ] = False,
) -> None:
    """Print the verdict on each declared hypothesis: upheld, refuted or undecided, with difference and interval.

    Below the verdicts it says what to use: the winner, and what the verdicts advise. They advise nothing where the
    networks are worse than the baselines.

    A refuted hypothesis is a result like any other: the exit code is 0.

    A hypothesis is late if one of its trials was run before any run knew the hypothesis as it stands. The file that
    --keep-first-seen writes holds these times. It is read together with any record, so that a new one knows them too.
    """
    from rarelabels.study import printing

    printing.verdicts(name, as_csv=output is Format.csv, keep_first_seen=keep_first_seen)


@app.command("check")
def check_record(
    name: Annotated[str | None, typer.Argument(metavar="STUDY", help="A study: movies. Default: all.")] = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Mend what can be mended safely; mark what `rarelabels run` must make anew")
    ] = False,
) -> None:
    """Check the whole record, and print a line for each fault: runs, their files, summaries, searches, waiting results.

    A file is intact if it has the digest in the tags of its run. The exit code is 1 if something is wrong.

    Repairing deletes no file and no number. Runs that were cut off are marked, waiting results are delivered, and files
    without a digest get one. Runs and summaries with damaged files are marked, so that `rarelabels run` makes them
    anew.
    """
    from rarelabels.record import connection
    from rarelabels.study import check

    if not check.check(connection.uri(), name, print, repair=repair):
        raise typer.Exit(1)


@app.command()
def best(
    name: Annotated[str, typer.Argument(metavar="STUDY", help="A study: movies")],
    metric: Annotated[
        str, typer.Option(help="RULE/METRIC on validation that ranks the trials; the registered model uses RULE")
    ] = "per_label/macro_f1",
    refit: Annotated[
        bool,
        typer.Option(
            "--refit", help="Train the best model again on training and validation rows, and register the new one"
        ),
    ] = False,
) -> None:
    """Rank the trials of a study by cross-fitted validation scores, and register the best one's model in MLflow.

    Rules that choose no threshold (half, ranking) are scored on the validation part as it is. Metrics on the test part
    are shown, too, and choose nothing. The registered model is that of the first seed; `rarelabels predict` uses it.
    With --refit the model keeps its thresholds, and a network trains for as many epochs as were kept.
    """
    from rarelabels.study import printing

    printing.best(name, metric, refit=refit)


@app.command()
def predict(
    name: Annotated[str, typer.Argument(metavar="STUDY", help="A study whose best model is registered: movies")],
    file: Annotated[Path, typer.Argument(help="Rows: .csv, .tsv, .jsonl, .svm, .arff (these also .gz) or .parquet.")],
    vectors: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN=FILE", help="The vectors of a column are in this .npy file; may be given again"),
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Where the images are that a column names; default: the folder of FILE"),
    ] = None,
) -> None:
    """Predict the rows of a file with the registered model of a study: labels and probabilities, as CSV.

    The file needs the input columns of the training data, in any order; other columns are ignored. It may be larger
    than memory. Each line of the output has the row's id, the assigned labels, and a probability for each label.

    Ids and labels are written as they are. A spreadsheet takes a cell that begins with =, +, - or @ for a formula:
    there, import these columns as text.
    """
    from rarelabels.serve import deployment

    deployment.predict_file(name, file, _record(), _warn, sys.stdout, vectors or (), images)


@app.command()
def report(
    name: Annotated[str | None, typer.Argument(metavar="STUDY", help="A study: movies. Default: all.")] = None,
    output: Annotated[Path, typer.Option(metavar="FILE", help="Where to write the page.")] = Path(
        "runs", "report.html"
    ),
) -> None:
    """Write one HTML page: what to use, then verdicts, tables and figures of each study.

    The page is one file and loads nothing. The page of each study is recorded in MLflow, too.
    """
    from rarelabels.study import printing

    failures = printing.report(name, output)
    for failure in failures:
        print(f"FAILED {without_password(failure)}", file=sys.stderr)
    if failures:
        raise typer.Exit(1)


@app.command()
def publish(
    names: Annotated[list[str], typer.Argument(metavar="STUDY...", help="Studies: movies powerset")],
    to: Annotated[Path, typer.Option(metavar="FOLDER", help="Each study gets a folder in it.")] = Path(
        "docs", "results"
    ),
) -> None:
    """Publish the results of studies as plain files, small enough for git: Parquet tables and about.json.

    The tables have the numbers of every run, label, curve, trial, verdict and rank; scores, texts and ids of rows are
    not published. about.json says when, where, with which versions and from which data they were made. In Python,
    rarelabels.Study(STUDY, published=FOLDER) reads them like a record.
    """
    from rarelabels.study import printing

    printing.publish(names, to)


@app.command()
def judge(
    validation: Annotated[
        Path, typer.Argument(help="Scores that choose the thresholds; or, if it is the only file, the scores to judge.")
    ],
    test: Annotated[Path | None, typer.Argument(help="Scores to judge; no row may be in the first file, too.")] = None,
    labels: Annotated[str | None, typer.Option(help="Only these labels: Drama,Western")] = None,
    output: Annotated[
        Format, typer.Option("--format", help="table; or csv, with a row for each number")
    ] = Format.table,
    log: Annotated[
        str | None, typer.Option(metavar="NAME", help="Record the judgement in MLflow as the run NAME")
    ] = None,
) -> None:
    """Judge scores from any framework: floors, metrics with intervals, thresholds, and what they find and cost.

    A file is Parquet (.parquet) or CSV (.csv, .csv.gz). It has a column true/LABEL (0 or 1) and a column score/LABEL
    (a probability) for each label and, if rows have names, a column id; the ids 1000, " 1000" and 1000.0 are the same.
    From two arrays of shape (rows, labels), such as torch.sigmoid(logits).numpy(force=True):

    \b
    import pandas as pd
    truths = pd.DataFrame(y_true, columns=labels).add_prefix("true/")
    scores = pd.DataFrame(y_score, columns=labels).add_prefix("score/")
    truths.join(scores).to_parquet("test.parquet", index=False)

    An empty true/LABEL says that the label is not known in that row: it counts neither for nor against the scores.

    In Python, without files: rarelabels.judge(y_test, s_test, validation=(y_val, s_val), labels=labels).
    """
    if log is not None and not log.strip():
        raise UserError(f"--log: must be a name for the run; given {log!r}")
    from rarelabels.judging import score_files
    from rarelabels.show import judgement as judgements
    from rarelabels.show.tables.of_judgement import print_judgement

    before, measured = (None, validation) if test is None else (validation, test)
    parts = score_files.read(before, measured, _names(labels))
    for path in parts.unnamed if before else ():
        _warn(f"{path}: the rows have no ids (column id), so a row that is in both files cannot be noticed")
    if parts.test.y.size >= MANY_SCORES:
        _warn(f"{parts.test.y.size:,} scores to measure; ten million take about half a minute")
    if log is not None:
        from rarelabels.record import connection, moved

        connection.connect(_record())  # a record that does not answer is better told now than after the measuring
    judgement = judgements.judge_parts(parts)
    if log is not None:
        judgement.log(log, {"validation": before or "", "test": measured})
    if output is Format.csv:
        print(csv_tables.text(judgement.long()), end="")
    else:
        print_judgement(judgement, before, measured)
    if log is not None:
        experiment = f"{moved.ROOT}{judgements.STUDY}"
        print(f"\nRecorded as {log!r} in the experiment {experiment}: `rarelabels ui`", file=sys.stderr)


@app.command("probes")
def run_probes(
    output: Annotated[
        ProbeFormat, typer.Option("--format", help="table; or markdown, as in docs/probes.md")
    ] = ProbeFormat.table,
) -> None:
    """Check what these versions of Keras, TensorFlow and scikit-learn really do with multi-hot labels.

    Each probe is shown beside what a thread believed and what is documented, and recorded in MLflow. The exit code is 1
    if a probe gives other numbers than the pinned ones.
    """
    from rarelabels.probes import run_probes

    changed = run_probes.run(_record(), as_markdown=output is ProbeFormat.markdown)
    for line in changed:
        _warn(line)
    if changed:
        raise typer.Exit(1)


@app.command()
def fetch(
    name: Annotated[str, typer.Argument(metavar="DATA", help="The data set: wikipedia_movies, xed or mulan")],
) -> None:
    """Download a data set that is not part of a package, at its pinned version, into RARELABELS_DATA."""
    from rarelabels.data.sources import fetch as fetching

    fetching.fetch(name, partial(print, file=sys.stderr))


def _record() -> str:
    """Return where the record is, after marking the runs that were cut off."""
    from rarelabels.study import project

    return project.record_here()


def _seeds(text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    numbers = text.split(",")
    if not all(number.strip().isdecimal() for number in numbers):
        raise UserError(f"--seeds: allowed are whole numbers from 0, separated by commas (0,1); given {text!r}")
    return tuple(dict.fromkeys(int(number) for number in numbers))


def _names(text: str | None) -> list[str]:
    """Return names separated by commas; a name with a comma is in double quotes, as in CSV."""
    if text is None:
        return []
    names = separated(text)
    if not names or not all(names) or len(set(names)) < len(names):
        raise UserError(f"--labels: allowed are different names, separated by commas; given {text!r}")
    return names


def _warn(text: str) -> None:
    print(f"rarelabels: {without_password(text)}", file=sys.stderr)


def main() -> None:
    """Run the command line; a user's mistake is one line on stderr and exit code 2, and so is a record that fails."""
    stdout.guard()
    for line in packages.broken():
        _warn(line)
    code = _code(app)
    if sys.stdout is not None:
        code = _code(sys.stdout.flush) or code
    sys.exit(code)


def _code(do: Callable[[], object]) -> int:
    """Do something, say what went wrong, and return the exit code."""
    try:
        do()
    except stdout.ReaderGoneError:
        stdout.drop()
    except UserError as error:
        if isinstance(error, stdout.LostOutputError):
            stdout.drop()
        _warn(str(error))
        return 2
    except SystemExit as end:
        if end.code == STOPPED:
            print("rarelabels: stopped; the same command goes on where this one stopped", file=sys.stderr)
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        raise
    except Exception as error:
        from rarelabels.record import connection

        known = connection.explained(error)
        if known is None:
            print(without_password(traceback.format_exc()), end="", file=sys.stderr)
            return 1
        _warn(str(known))
        return 2
    return 0


if __name__ == "__main__":
    main()
