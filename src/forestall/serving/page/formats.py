"""Numbers, money, times and spans as people read them, in their language."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import numpy as np
from babel import Locale
from babel.dates import format_datetime, format_skeleton
from babel.numbers import format_decimal, format_percent, get_decimal_symbol, get_group_symbol

from forestall.data.clock import SECONDS, hour_of, is_counter
from forestall.features.reference import Reference
from forestall.serving.opinions import Opinion
from forestall.serving.page.words import say

LOCALES = {"en": "en_GB", "de": "de_DE"}
MOMENTS = {"en": "d MMM y, HH:mm", "de": "d. MMM y, HH:mm"}
DATES = {"en": "d MMM y", "de": "d. MMM y"}
PLOT_DAYS = {"en": "%-d %b", "de": "%-d.%-m."}
DAYS = {"en": "EEE d MMM", "de": "EEE, d. MMM"}
NO_BREAK = "\u00a0"
FEW_HOURS = 48  # spans up to so many hours are told in hours
SMALLEST = 0.005  # shares up to it are told as "under 1 %"


@dataclass(frozen=True)
class Formats:
    """How a language writes values; `reference` says what a tick is, and is None where there is no model."""

    language: str
    reference: Reference | None = None

    @cached_property
    def locale(self) -> Locale:
        """Babel's."""
        return Locale.parse(LOCALES[self.language])

    def number(self, value: float, digits: int = 0) -> str:
        """With so many digits after the point."""
        return str(format_decimal(value, f"#,##0.{'0' * digits}" if digits else "#,##0", locale=self.locale))

    def share(self, value: float) -> str:
        """As whole percent; what is nearly nothing is not told as nothing, nor the nearly certain as certain."""
        if 0 < value <= SMALLEST:
            return "< " + str(format_percent(0.01, locale=self.locale))
        if 1 - SMALLEST <= value < 1:
            return "> " + str(format_percent(0.99, locale=self.locale))
        return str(format_percent(value, locale=self.locale))

    def precise(self, value: float) -> str:
        """A share as percent with two digits after the point, for means that are small and change little."""
        pattern = self.locale.percent_formats[None].pattern.replace("##0", "##0.00")
        return str(format_percent(value, pattern, locale=self.locale))

    def points(self, value: float) -> str:
        """How much a share changed, in percentage points with two digits and a sign."""
        rounded = round(value * 100, 2)
        sign = "+" if rounded > 0 else "−" if rounded < 0 else ""
        return sign + self.number(abs(rounded), 2)

    def chance(self, value: float) -> str:
        """A p-value."""
        return f"< {self.number(0.001, 3)}" if value < 0.001 else self.number(value, 3)

    def money(self, value: float) -> str:
        """With two significant digits, for more would be a pretence, and at most two after the point."""
        digits = 1 - int(np.floor(np.log10(max(abs(value), 0.01))))
        rounded = round(value, min(2, digits))
        return str(format_decimal(rounded, "#,##0.##", locale=self.locale))

    def plot(self, spec: dict[str, Any]) -> dict[str, Any]:
        """A Vega-Lite specification whose numbers, and days as `%x`, are written so."""
        marks = {"decimal": get_decimal_symbol(self.locale), "thousands": get_group_symbol(self.locale)}
        number = {**marks, "grouping": [3], "currency": ["", ""]}
        return spec | {"config": {"locale": {"number": number, "time": self._calendar}}}

    @cached_property
    def _calendar(self) -> dict[str, Any]:
        """How D3 writes times; babel counts a week's days from Monday, D3 from Sunday."""
        months, days = self.locale.months["format"], self.locale.days["format"]
        week = (6, 0, 1, 2, 3, 4, 5)
        return {
            "date": PLOT_DAYS[self.language],
            "time": "%H:%M",
            "dateTime": f"{PLOT_DAYS[self.language]} %Y, %H:%M",
            "periods": ["AM", "PM"],
            "days": [days["wide"][day] for day in week],
            "shortDays": [days["abbreviated"][day] for day in week],
            "months": [months["wide"][month] for month in range(1, 13)],
            "shortMonths": [months["abbreviated"][month] for month in range(1, 13)],
        }

    def when(self, ticks: int) -> str:
        """A time of the plant: 30 Dec 2024, 12:00, or 231 cycles."""
        if self.counts:
            return f"{self.number(ticks)} {self.unit}"
        return self.moment(ticks)

    def moment(self, seconds: int) -> str:
        """Seconds since 1970, to the minute."""
        moment = datetime.fromtimestamp(seconds, UTC)
        return str(format_datetime(moment, MOMENTS[self.language], locale=self.locale))

    def day(self, ticks: int) -> str:
        """The day of a time: Mon 30 Dec, or 231 cycles."""
        if self.counts:
            return self.when(ticks)
        moment = datetime.fromtimestamp(ticks, UTC)
        return str(format_datetime(moment, DAYS[self.language], locale=self.locale))

    def date(self, ticks: int) -> str:
        """The day of a time, with its year: 30 Dec 2024, or 231 cycles."""
        if self.counts:
            return self.when(ticks)
        moment = datetime.fromtimestamp(ticks, UTC)
        return str(format_datetime(moment, DATES[self.language], locale=self.locale))

    def machine_day(self, ticks: int) -> str:
        """A day as a date input takes it; a count as it is."""
        return str(ticks) if self.counts else datetime.fromtimestamp(ticks, UTC).strftime("%Y-%m-%d")

    def stamp(self, text: str) -> str:
        """A time as a table writes it; a count, or what is neither, as it is."""
        if self.counts:
            return text
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return text
        return str(format_datetime(moment, MOMENTS[self.language], locale=self.locale))

    def month(self, name: str) -> str:
        """`2024-10` as October 2024; another text as it is."""
        try:
            moment = datetime.strptime(name, "%Y-%m").replace(tzinfo=UTC)
        except ValueError:
            return name
        return str(format_skeleton("yMMM", moment, locale=self.locale))

    def within(self, ticks: float) -> str:
        """A length of time after "within": German has another form then."""
        return self.span(ticks, "page.within_unit_")

    def span(self, ticks: float, units: str = "page.unit_") -> str:
        """A length of time: 20 min, 12 h, 3.5 days, 40 cycles; `units` are the texts that name them."""
        if self.counts:
            return f"{self.number(ticks)} {self.unit}"
        hours = ticks / SECONDS["h"]
        if 0 < hours < 2 and hours % 1:
            value, unit = float(max(1, round(hours * 60))), "min"
        elif hours > FEW_HOURS:
            value, unit = round(hours / 24, 1), "days"
        else:
            value, unit = float(round(hours)), "h"
        number = self.number(value, 0 if value >= 10 or value % 1 == 0 else 1)
        return f"{number} {say(f'{units}{unit}', {}, self.language)}"

    def life(self, opinion: Opinion) -> str:
        """By when a part with a risk fails, with a chance of 10 % and of a half, as far as the longest horizon."""
        assert self.reference is not None
        longest = self.within(self.reference.spans.horizon)
        hour, _ = hour_of(self.reference.unit)
        soon, late = (
            self.within(one * hour).replace(" ", NO_BREAK) if np.isfinite(one) else ""
            for one in opinion.life[:2]
        )
        if not soon:
            return say("page.life_beyond", {"span": longest}, self.language)
        if not late:
            return say("page.life_late", {"soon": soon, "late": longest}, self.language)
        return say("page.life_within", {"soon": soon, "late": late}, self.language)

    @property
    def counts(self) -> bool:
        """Whether time is a counter."""
        return self.reference is not None and is_counter(self.reference.unit)

    @property
    def unit(self) -> str:
        """Of a counter."""
        assert self.reference is not None
        return self.reference.unit
