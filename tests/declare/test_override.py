"""What `--set` says: a key and a YAML value."""

import json

import pytest

from rarelabels.declare import override
from rarelabels.errors import UserError

pytestmark = pytest.mark.usefixtures("house")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("training.epochs=3", ("training.epochs", 3)),
        ("training.learning_rate=1e-3", ("training.learning_rate", 0.001)),
        ("loss.alpha=null", ("loss.alpha", None)),
        ("model.wide=true", ("model.wide", True)),
        ("loss.kind=no", ("loss.kind", "no")),
        ("loss={kind: bce}", ("loss", {"kind": "bce"})),
        ("thread=a=b", ("thread", "a=b")),
    ],
)
def test_an_override_is_a_key_and_a_yaml_value(text: str, expected: tuple[str, object]):
    assert override.parse_override(text) == expected


@pytest.mark.parametrize("text", ["training.epochs", "=3", "training.epochs=", "training..epochs=3", "", "a b=3"])
def test_an_override_without_key_or_value_is_refused(text: str):
    with pytest.raises(UserError, match=r"^--set: .*allowed <dotted\.key>=<value>") as caught:
        override.parse_override(text)
    assert json.dumps(text) in str(caught.value)


@pytest.mark.parametrize("text", ["a=[1", "a=!!python/name:os.system", "a={b: 1, b: 2}", "a=1\n---\n2"])
def test_the_value_of_an_override_is_read_as_safely_as_a_file(text: str):
    with pytest.raises(UserError, match=r"^--set: a: line "):
        override.parse_override(text)
