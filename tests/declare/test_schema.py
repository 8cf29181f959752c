"""Every rule about declared values, without YAML."""

from typing import Annotated

import pytest
from pydantic import Field, ValidationError

from rarelabels.declare.contradictions import ContradictionError
from rarelabels.declare.study import Bound, Hypothesis, StudySpec
from rarelabels.declare.training import BARE_ACCURACY, TrainingSpec
from rarelabels.declare.trial import Trial
from rarelabels.declare.weighting import ARGMAX_OF_ROW
from rarelabels.spec import LATER, Spec

TRAINING = {"epochs": 3, "batch_size": 256, "learning_rate": 0.004}
TRIAL = {
    "name": "movies/bce",
    "question": "Does the plain loss do?",
    "thread": "movie_genres, first trial",
    "dataset": {"kind": "movies"},
    "model": {"kind": "text_bag"},
    "loss": {"kind": "bce"},
    "weighting": {"kind": "none"},
    "training": TRAINING,
    "thresholds": {},
    "seeds": (0, 1),
}
HYPOTHESIS = {
    "name": "focal_ranks_better",
    "claim": "Focal loss ranks the labels better.",
    "source": "second answer",
    "trial": "focal",
    "against": "bce",
    "metric": "test/ranking/macro_average_precision",
    "direction": "greater",
    "margin": 0.01,
}


def refusal(**changes: object) -> str:
    with pytest.raises(ValidationError) as caught:
        Trial.model_validate({**TRIAL, **changes})
    return str(caught.value)


def test_a_plain_trial_is_accepted_and_frozen():
    trial = Trial.model_validate(TRIAL)
    assert (trial.study, trial.short_name, trial.is_network) == ("movies", "bce", True)
    assert trial.watch == ()
    with pytest.raises(ValidationError):
        trial.question = "another question"


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "bce"},
        {"name": "a/b/c"},
        {"question": "too short"},
        {"seeds": ()},
        {"seeds": (-1,)},
        {"dataset": {"kind": "movies", "labels": 1}},
        {"dataset": {"kind": "movies", "labels": 22}},
        {"loss": {"kind": "binary_focal", "alpha": 0.0}},
        {"loss": {"kind": "binary_focal", "alpha": 1.0}},
        {"loss": {"kind": "binary_focal", "gamma": -0.1}},
        {"loss": {"kind": "hinge"}},
        {"model": {"kind": "text_bag", "dropout": 1.0}},
        {"model": {"kind": "text_bag", "hidden": (0,)}},
        {"model": {"kind": "floor"}},
        {"model": {"kind": "linear", "c": 0}},
        {"model": {"kind": "linear", "c": (1.0,)}},
        {"model": {"kind": "linear", "c": (1.0, 1.0)}},
        {"model": {"kind": "linear", "c": (1.0, -1.0)}},
        {"model": {"kind": "linear", "ngrams": 3}},
        {"model": {"kind": "linear", "field_weights": {"title": -1.0}}},
        {"model": {"kind": "gradient_boosting", "max_iter": 0}},
        {"weighting": {"kind": "pos_weight", "cap": 0}},
        {"training": {"epochs": 0, "batch_size": 1, "learning_rate": 0.1}},
        {"training": {"epochs": 1, "batch_size": 1, "learning_rate": float("nan")}},
        {"training": {"epochs": 1, "batch_size": 1, "learning_rate": float("inf")}},
        {"thresholds": {"min_positives": 0}},
        {"colour": "blue"},
        {"loss": {"kind": "bce", "label_smoothing": 0.1}},
    ],
)
def test_values_out_of_range_and_unknown_keys_are_refused(changes: dict[str, object]):
    refusal(**changes)


@pytest.mark.parametrize("watch", [("accuracy",), ["auc", "accuracy"], "accuracy", ("acc",)])
def test_bare_accuracy_is_refused_with_its_reason(watch: object):
    assert BARE_ACCURACY in refusal(watch=watch)


@pytest.mark.parametrize("changes", [{"seeds": (1, 2, 1)}, {"watch": ("auc", "auc")}])
def test_repeats_are_refused(changes: dict[str, object]):
    assert "lists something twice" in refusal(**changes)


@pytest.mark.parametrize("vary", [{}, {"loss.gamma": ()}, {"loss.gamma": (1,), "model.width": (8,)}])
def test_a_sweep_has_one_dimension(vary: dict[str, tuple[object, ...]]):
    assert "exactly one dotted key" in refusal(vary=vary)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"loss": {"kind": "weighted_bce"}},
            "weighted_bce and one of pos_weight, free_pos_weight, class_balanced, label_weights need each other",
        ),
        (
            {"weighting": {"kind": "pos_weight"}},
            "weighted_bce and one of pos_weight, free_pos_weight, class_balanced, label_weights need each other",
        ),
        (
            {
                "loss": {"kind": "weighted_bce"},
                "weighting": {"kind": "pos_weight"},
                "model": {"kind": "text_bag", "head": "softmax"},
            },
            "use head: sigmoid",
        ),
        ({"model": {"kind": "linear"}, "loss": {"kind": "binary_focal"}}, "has no effect on model.kind 'linear'"),
        ({"model": {"kind": "floor", "predicts": "ones"}, "watch": ("auc",)}, "has no epochs to watch"),
        (
            {"model": {"kind": "linear"}, "weighting": {"kind": "sample_weights"}},
            "has no effect on model.kind 'linear'",
        ),
        ({"weighting": {"kind": "class_weight", "weights": {"0": 1.0, "1": 0.29}}}, ARGMAX_OF_ROW),
        ({"loss": {"kind": "logit_adjusted"}, "model": {"kind": "text_cnn", "head": "softmax"}}, "use head: sigmoid"),
        ({"loss": {"kind": "soft_f1"}, "weighting": {"kind": "sample_weights"}}, "has no rows to weigh"),
        ({"training": {**TRAINING, "momentum": 0.9}}, "training.momentum has no effect on training.optimizer 'adam'"),
        ({"training": {**TRAINING, "weight_decay": 0.1, "optimizer": "sgd"}}, "'sgd'; use adamw"),
        ({"training": {**TRAINING, "pruning": {"sparsity": 0.5, "end_epoch": 2}}}, "use keep: last"),
        (
            {"training": {**TRAINING, "keep": "last", "pruning": {"sparsity": 0.5, "end_epoch": 4}}},
            "end_epoch 4 is after the last of training.epochs 3",
        ),
    ],
)
def test_contradictions_are_refused_with_a_reason(changes: dict[str, object], reason: str):
    assert reason in refusal(**changes)


def test_all_contradictions_are_told_at_once_with_their_keys():
    with pytest.raises(ValidationError) as caught:
        Trial.model_validate(
            {**TRIAL, "loss": {"kind": "weighted_bce"}, "model": {"kind": "linear"}, "watch": ("auc",)}
        )
    error = caught.value.errors()[0]["ctx"]["error"]
    assert isinstance(error, ContradictionError)
    assert [one.keys for one in error.found] == [
        ("loss.kind", "weighting.kind"),
        ("loss.kind", "model.kind"),
        ("model.kind", "watch"),
    ]


def test_the_definition_holds_what_can_change_the_numbers():
    trial = Trial.model_validate(TRIAL)
    same = Trial.model_validate({**TRIAL, "watch": ("auc",), "seeds": (7,), "question": "Other words, same training?"})
    longer = Trial.model_validate({**TRIAL, "training": {**TRAINING, "epochs": 4}})
    assert same.definition() == trial.definition()
    assert longer.definition() != trial.definition()


def test_a_floor_ignores_training_in_its_definition():
    floor = {**TRIAL, "model": {"kind": "floor", "predicts": "zeros"}}
    longer = {**floor, "training": {"epochs": 99, "batch_size": 1, "learning_rate": 1}}
    assert Trial.model_validate(floor).definition() == Trial.model_validate(longer).definition()


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "Focal ranks"},
        {"metric": "validation/half/macro_f1"},
        {"metric": "test/oracle/macro_f1"},
        {"direction": "more"},
        {"margin": -0.01},
        {"claim": "short"},
    ],
)
def test_a_hypothesis_is_checked(changes: dict[str, object]):
    Hypothesis.model_validate(HYPOTHESIS)
    with pytest.raises(ValidationError):
        Hypothesis.model_validate({**HYPOTHESIS, **changes})


def test_hypotheses_of_a_study_have_different_names():
    with pytest.raises(ValidationError, match="two of them share a name"):
        StudySpec.model_validate({"title": "t", "question": "q", "thread": "t", "hypotheses": [HYPOTHESIS, HYPOTHESIS]})


@pytest.mark.parametrize("weights", [None, {"0": 1.0, "1": 0.29}])
def test_class_weight_is_allowed_to_those_who_know(weights: dict[str, float] | None):
    weighting = {"kind": "class_weight", "form": "keras_argmax", "weights": weights}
    assert Trial.model_validate({**TRIAL, "weighting": weighting}).weighting.kind == "class_weight"
    assert "should match pattern" in refusal(weighting={**weighting, "weights": {"-1": 1.0}})


TABLE = {"kind": "table", "path": "films.csv", "text": ("title",), "labels": {"column": "genres", "separator": "|"}}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"text": ()}, "needs at least one input: name columns under text, lists or numeric"),
        ({"numeric": ("title",)}, "uses a column twice: title"),
        ({"split": "genres"}, "uses a column twice: genres"),
        ({"labels": {}}, "exactly one of column, columns and prefix; given none"),
        ({"labels": {"column": "genres", "prefix": "is_"}}, "given column and prefix"),
        ({"labels": {"prefix": "is_", "separator": "|"}}, "separator goes with column, not with prefix"),
        ({"labels": {"columns": ("drama",)}}, "at least 2 items"),
        ({"split": "part", "validation": "last_rows"}, "validation: last_rows has no effect"),
    ],
)
def test_a_table_is_declared_without_contradiction(changes: dict[str, object], reason: str):
    assert reason in refusal(dataset={**TABLE, **changes})


@pytest.mark.parametrize(
    ("dataset", "reason"),
    [
        ({"kind": "movies", "labels": ("Drama", "War", "Drama")}, "lists something twice"),
        ({"kind": "movies", "labels": ("Drama",)}, "at least 2 items"),
        ({"kind": "movies", "train_fraction": 0.0}, "greater than 0"),
        ({"kind": "movies", "train_fraction": 1.1}, "less than or equal to 1"),
        ({"kind": "movies", "validation": "cross_validated", "train_fraction": 0.5}, "train_fraction has no meaning"),
        ({"kind": "thread_rows", "validation": "last_rows"}, "all three parts are the same seven rows"),
        ({"kind": "thread_rows", "train_fraction": 0.5}, "all three parts are the same seven rows"),
        ({**TABLE, "split": "part", "validation": "cross_validated"}, "validation: cross_validated has no effect"),
        ({"kind": "simulated", "sets": 3}, "sets goes with dependence: label_sets"),
        ({"kind": "simulated", "dependence": "label_sets"}, "and is needed there"),
        ({"kind": "simulated", "dependence": "label_sets", "sets": 9}, "3 labels make 8 different sets at most"),
        ({"kind": "simulated", "dependence": "label_sets", "sets": 4, "prevalence": 0.1}, "prevalence has no effect"),
        ({"kind": "simulated", "rows": 99}, "greater than or equal to 100"),
        ({"kind": "simulated", "labels": 21}, "less than or equal to 20"),
        ({"kind": "simulated", "scale": 0}, "greater than 0"),
    ],
)
def test_data_are_declared_without_contradiction(dataset: dict[str, object], reason: str):
    assert reason in refusal(dataset=dataset)


KNOWN = {"dataset": {"kind": "simulated"}, "model": {"kind": "known_probabilities"}}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"dataset": {"kind": "movies"}}, "with dataset.kind 'movies': only simulated data have them"),
        ({"loss": {"kind": "hamming"}}, "loss.kind 'hamming' has no effect on model.kind 'known_probabilities'"),
        (
            {"loss": {"kind": "weighted_bce"}, "weighting": {"kind": "pos_weight"}},
            "loss.kind 'weighted_bce' has no effect on model.kind 'known_probabilities'; use bce",
        ),
        ({"weighting": {"kind": "sample_weights"}}, "has no effect on model.kind 'known_probabilities'; use none"),
        ({"watch": ("auc",)}, "model.kind 'known_probabilities' has no epochs to watch"),
        ({"picked_by": "auc"}, "picked_by 'auc' needs a network"),
    ],
)
def test_known_probabilities_are_trained_by_nothing(changes: dict[str, object], reason: str):
    assert not Trial.model_validate({**TRIAL, **KNOWN}).is_network
    assert reason in refusal(**{**KNOWN, **changes})


def test_where_a_table_lies_is_not_part_of_the_definition():
    here, there = (Trial.model_validate({**TRIAL, "dataset": {**TABLE, "path": path}}) for path in ("a.csv", "b/a.csv"))
    assert here.definition() == there.definition()
    assert here != there


def test_a_loss_bounds_the_accuracy():
    """A loss of ln 2 / 4 = 0.1733 allows a quarter of the labels to be wrong."""
    quarter = Bound(name="quarter", source="nowhere", loss=0.17328679513998632, binary_accuracy=0.75)
    assert quarter.least == pytest.approx(0.75)
    assert Bound(name="free", source="nowhere", loss=3, binary_accuracy=0).least == 0
    thread = Bound(name="thread", source="movie_genres", loss=0.003, binary_accuracy=0.98)
    assert thread.verdict() == (
        "movie_genres: a loss of 0.003 forces a binary accuracy of at least 0.9957; reported is 0.98, "
        "which cannot be binary accuracy at 0.5 on the same rows"
    )
    assert "reported is 0.999, which is possible" in thread.model_copy(update={"binary_accuracy": 0.999}).verdict()


def test_a_binary_accuracy_bounds_the_subset_accuracy():
    """2 % wrong labels of three are at most 6 % wrong rows."""
    thread = Bound(name="thread", source="three_classes", binary_accuracy=0.98, labels=3, subset_accuracy=0.1)
    assert thread.verdict() == (
        "three_classes: a binary accuracy of 0.98 on 3 labels forces a subset accuracy of at least 0.9400; reported is "
        "0.1, which cannot be the subset accuracy of the same decisions on the same rows"
    )
    answer = thread.model_copy(update={"binary_accuracy": 7 / 9, "subset_accuracy": 1 / 3})
    assert answer.least == pytest.approx(1 / 3)
    assert "which is possible" in answer.verdict()


@pytest.mark.parametrize("given", [{}, {"loss": 0.1, "subset_accuracy": 0.1, "labels": 3}, {"labels": 3}])
def test_a_bound_is_about_two_numbers(given: dict[str, float]):
    with pytest.raises(ValidationError, match="takes a loss, or a subset_accuracy"):
        Bound(name="x", source="nowhere", binary_accuracy=0.5, **given)


def test_a_later_key_at_its_default_is_no_part_of_what_is_defined():
    class Inner(Spec):
        old: int = 1
        later: Annotated[tuple[int, ...], LATER] = Field((1, 2), description="of a block within")

    class Outer(Spec):
        inner: Inner = Inner()
        several: tuple[Inner, ...] = ()
        named: dict[str, Inner] = Field({})
        later: Annotated[float | None, LATER] = None

    assert Outer().defined() == {"inner": {"old": 1}, "several": [], "named": {}}
    assert Outer(several=(Inner(later=(3,)),), named={"a": Inner()}, later=0.5).defined() == {
        "inner": {"old": 1},
        "several": [{"old": 1, "later": [3]}],
        "named": {"a": {"old": 1}},
        "later": 0.5,
    }
    assert Outer().model_dump()["inner"] == {"old": 1, "later": (1, 2)}


@pytest.mark.parametrize(
    ("training", "reason"),
    [
        ({"epochs": None}, "exactly one of epochs and steps"),
        ({"steps": 100}, "exactly one of epochs and steps"),
        ({"epochs": None, "steps": 100, "evaluate_every": 101}, "more than all steps, 100"),
        ({"evaluate_every": 10}, "evaluate_every goes with steps"),
        ({"patience": 0}, "greater than or equal to 1"),
        ({"epochs": None, "steps": 9, "pruning": {"sparsity": 0.5, "end_epoch": 2}, "keep": "last"}, "declare epochs"),
    ],
)
def test_the_length_of_a_training_is_declared_without_contradiction(training: dict[str, object], reason: str):
    assert reason in refusal(training={**TRAINING, **training})


def test_a_training_has_whole_epochs_within_its_bound():
    def schedule(rows: int, **changes: object) -> tuple[int, int]:
        declared = TrainingSpec.model_validate({**TRAINING, "epochs": None, "batch_size": 32, **changes})
        found = declared.schedule(rows)
        return found.steps, found.epochs

    assert schedule(300, epochs=7) == (9, 7)  # 9 batches of 32 make a pass over 300 rows
    assert schedule(300, steps=25) == (9, 2)
    assert schedule(300, steps=25, evaluate_every=7) == (7, 3)
    assert schedule(300, steps=5) == (5, 1)
    assert schedule(20, steps=5) == (1, 5)  # fewer rows than a batch make one


def test_a_training_of_so_many_epochs_is_ended_by_nothing_else():
    by_steps = {**TRAINING, "epochs": None, "steps": 90, "patience": 3}
    assert TrainingSpec.model_validate({**by_steps, "evaluate_every": 10}).of_length(4).steps == 40
    passes = TrainingSpec.model_validate(by_steps).of_length(4)
    assert (passes.epochs, passes.steps, passes.patience, passes.keep) == (4, None, None, "last")


@pytest.mark.parametrize(
    "changes", [{"hidden": (8,)}, {"wide": False}, {"pooling": "mean"}, {"dropout": 0.5}, {"width": -1}]
)
def test_the_wide_path_alone_is_declared_without_contradiction(changes: dict[str, object]):
    assert "width" in refusal(model={"kind": "text_bag", "width": 0, "wide": True, **changes})
