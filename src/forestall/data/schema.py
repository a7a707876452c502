"""The JSON schema of the dataset file, for editors and for docs/reference/dataset.schema.json."""

import json
from typing import Any

from forestall.data.dataset import Dataset


def dataset_schema() -> dict[str, Any]:
    """The JSON schema (draft 2020-12) of a dataset file.

    It holds what one key may be; what keys must be together is checked by `Dataset` alone.
    """
    schema = Dataset.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema


def schema_text() -> str:
    """The schema as its file holds it."""
    return json.dumps(dataset_schema(), indent=2, ensure_ascii=False) + "\n"
