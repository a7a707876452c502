"""A page as a browser would take it apart."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "link", "input", "br", "hr", "img"}
SHOWN_ATTRIBUTES = ("aria-label", "title", "placeholder", "alt")
Attributes = dict[str, str]


@dataclass
class Element:
    """One element; text: all in it, with spaces as one."""

    name: str
    attributes: Attributes
    pieces: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return " ".join("".join(self.pieces).split())


class Page(HTMLParser):
    """The elements of a page in order. What does not nest is an error: something got out of its place.

    said: texts that people read or hear, each with the language it is marked to be in.
    """

    def __init__(self, content: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self.said: list[tuple[str, str]] = []
        self.open: list[Element] = []
        self.feed(content)
        self.close()
        assert not self.open, [one.name for one in self.open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), (tag, names)
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.elements.append(element)
        self.open.append(element)
        for name in SHOWN_ATTRIBUTES:
            if name in element.attributes:
                self.said.append((element.attributes[name], self.language))
        if tag in VOID:
            self.open.pop()

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1].name == tag, (tag, [one.name for one in self.open])
        self.open.pop()

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.pieces.append(data)
        if data.strip() and self.open and self.open[-1].name not in ("script", "style"):
            self.said.append((" ".join(data.split()), self.language))

    @property
    def language(self) -> str:
        marked = [one.attributes["lang"] for one in self.open if "lang" in one.attributes]
        return marked[-1] if marked else ""

    @property
    def text(self) -> str:
        """All that is read or heard."""
        return "\n".join(text for text, _ in self.said)

    def all(self, tag: str, /, **wanted: str) -> list[Element]:
        """Elements of a name whose attributes are so; `_` stands for `-`, and `class_` for a class among others."""
        return [one for one in self.elements if one.name == tag and _fits(one, wanted)]

    def one(self, tag: str, /, **wanted: str) -> Element:
        """The only such element."""
        (found,) = self.all(tag, **wanted)
        return found

    def value(self, name: str, number: int = 0) -> str:
        """What the input or text area of a name holds; of several, the one in that place."""
        fields = [
            one
            for one in self.elements
            if one.attributes.get("name") == name and one.name in ("input", "textarea")
        ]
        found = fields[number]
        return "".join(found.pieces) if found.name == "textarea" else found.attributes.get("value", "")

    def rows(self) -> list[list[str]]:
        """The first cell and the others, of each row of a table's body."""
        found: list[list[str]] = []
        for one in self.elements:
            if one.name == "tr":
                found.append([])
            elif one.name in ("td", "th") and found and one.attributes.get("scope") != "col":
                found[-1].append(one.text)
        return [row for row in found if row]


def _fits(element: Element, wanted: Attributes) -> bool:
    for name, value in wanted.items():
        if name == "class_":
            if value not in element.attributes.get("class", "").split():
                return False
        elif element.attributes.get(name.replace("_", "-")) != value:
            return False
    return True
