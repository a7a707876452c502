"""HTML put together from parts; what is not HTML already is escaped, wherever it comes from."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence

VOID = {"meta"}
LONG = 24  # letters of a cell that may be broken into lines


class Html(str):
    """A text that is HTML."""

    __slots__ = ()


Part = Html | str


def tag(name: str, /, *parts: Part, **attributes: str | None) -> Html:
    """An element; `class_` stands for class, `aria_label` for aria-label; an attribute that is None is left out."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Html(f"<{name}{given}>" if name in VOID else f"<{name}{given}>{joined(parts)}</{name}>")


def joined(parts: Iterable[Part]) -> Html:
    """Parts one after the other."""
    return Html("".join(part if isinstance(part, Html) else html.escape(part) for part in parts))


def table(caption: str, names: Sequence[str], rows: Iterable[Sequence[Part]]) -> Html:
    """A table whose first column names the rows; on a narrow screen it is moved sideways, with the keyboard too."""
    head = tag("thead", tag("tr", *(tag("th", name, scope="col") for name in names)))
    body = tag("tbody", *(_row(row) for row in rows))
    whole = tag("table", tag("caption", caption), head, body)
    return tag("div", whole, class_="scroll", tabindex="0", role="region", aria_label=caption)


def listed(texts: Sequence[Part], shown: int) -> Html:
    """A list; one longer than `shown` is folded."""
    whole = tag("ul", *(tag("li", text) for text in texts), class_="names")
    if len(texts) <= shown:
        return whole
    return tag("details", tag("summary", f"all {len(texts)}"), whole)


def breakable(name: str) -> Html:
    """A name that may be broken into lines after an underscore."""
    return Html(html.escape(name).replace("_", "_<wbr>"))


def section(title: str, *parts: Part) -> Html:
    """A part of the page with a heading."""
    name = "".join(letter if letter.isalnum() else "-" for letter in title.lower())
    return tag("section", tag("h2", title, id=name), *parts, aria_labelledby=name)


def _row(cells: Sequence[Part]) -> Html:
    return tag("tr", tag("th", cells[0], scope="row"), *(_cell(cell) for cell in cells[1:]))


def _cell(cell: Part) -> Html:
    letters = re.sub("<[^>]*>", "", cell) if isinstance(cell, Html) else cell
    return tag("td", cell, class_="words" if len(letters) > LONG else None)
