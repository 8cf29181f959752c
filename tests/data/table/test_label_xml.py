"""The names in an XML file of labels; tests/data/sources/test_mulan.py has more of what is refused."""

from __future__ import annotations

import pytest

from rarelabels.data.table.label_xml import label_names
from rarelabels.errors import UserError


def test_nested_labels_come_after_the_label_that_holds_them() -> None:
    nested = b'<labels xmlns="http://mulan.sourceforge.net/labels"><label name="a"><label name="b"/></label></labels>'
    assert label_names(nested, "a.xml") == ["a", "b"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"<labels></labels>", "names no label"),
        (b"<html/>", "must be <labels>"),
        (b"a,b\n", "is not XML"),
        (b"<!DOCTYPE labels><labels/>", "has a DOCTYPE"),
        (b'<labels><label name="a"/><label name="a"/></labels>', "label 'a' is named twice"),
    ],
)
def test_what_is_no_list_of_labels(content: bytes, says: str) -> None:
    with pytest.raises(UserError, match=says) as caught:
        label_names(content, "a.xml", "; do it again")
    assert str(caught.value).startswith("a.xml: line 1: ") or "line 2" in str(caught.value)
    assert str(caught.value).endswith("; do it again")
