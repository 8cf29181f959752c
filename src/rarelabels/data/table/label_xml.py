"""The XML file of Mulan that says which attributes of an ARFF file are labels."""

from __future__ import annotations

from xml.parsers import expat

from rarelabels.errors import UserError


def label_names(content: bytes, where: str, hint: str = "") -> list[str]:
    """Return the names of the labels in the order in which they begin.

    Expat reads the file without building a tree or opening another file. Only a DOCTYPE could define entities that
    multiply, and it is refused where it begins.

    >>> label_names(b'<labels><label name="sea"/><label name="sky"/></labels>', "a.xml")
    ['sea', 'sky']

    Args:
        content: of the file.
        where: the file's name in messages.
        hint: the end of each message, such as what to do.

    Raises:
        UserError: the file is no XML, or no list of labels.
    """
    parser = expat.ParserCreate(namespace_separator=" ")
    elements: list[str] = []
    names: dict[str, None] = {}

    def refused(trouble: str) -> UserError:
        return UserError(f"{where}: line {parser.CurrentLineNumber}: {trouble}{hint}")

    def start(element: str, attributes: dict[str, str]) -> None:
        elements.append(element.rpartition(" ")[2])
        if elements[-1] != ("label" if len(elements) > 1 else "labels"):
            raise refused(f'must be <labels> with <label name="..."> in it, but here is <{elements[-1]}>')
        if len(elements) > 1:
            name = attributes.get("name", "")
            if not name or name in names:
                raise refused(f"label {name!r} is named twice" if name else "a label has no name")
            names[name] = None

    def doctype(*_declared: object) -> None:
        raise refused("has a DOCTYPE, which labels do not need and which can make a small file endless")

    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise refused(f"is not XML: {expat.errors.messages[error.code]}") from None
    except (LookupError, ValueError) as error:
        raise refused(f"cannot be read: {error}") from None
    if not names:
        raise refused("names no label")
    return list(names)
