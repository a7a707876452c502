"""What a bundle says of its plant: what serving needs of the dataset file, and of params.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from pydantic import TypeAdapter

from forestall.data.dataset import Dataset

SECTIONS = ("clock", "tables", "components", "decisions", "costs")


@dataclass(frozen=True)
class Plant:
    """A plant as it is served.

    dataset: only the SECTIONS; touching another is an AttributeError. carry_forward: over how many intervals a missing
    reading takes the last one's value. quiet: after how many decisions below the threshold an alarm closes.
    """

    name: str
    dataset: Dataset
    carry_forward: int
    quiet: int

    def to_json(self) -> dict[str, Any]:
        """As plain lists and mappings."""
        sections = {
            name: _adapter(name).dump_python(getattr(self.dataset, name), mode="json") for name in SECTIONS
        }
        return {**vars(self), "dataset": sections}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        """What `to_json` gave."""
        sections = {name: _adapter(name).validate_python(content["dataset"][name]) for name in SECTIONS}
        return cls(**(content | {"dataset": Dataset.model_construct(**sections)}))


def _adapter(section: str) -> TypeAdapter[Any]:
    annotation: Any = Dataset.model_fields[section].annotation
    return TypeAdapter(annotation)
