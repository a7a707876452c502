"""The published schema is that of the code, and the committed dataset files keep to it."""

from pathlib import Path

import jsonschema
import pytest

from forestall.data.dataset import Dataset
from forestall.data.schema import dataset_schema, schema_text
from forestall.data.settings import read_yaml, validate

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "docs" / "reference" / "dataset.schema.json"
FILES = sorted((ROOT / "data" / "raw").glob("*.yaml"))


def test_the_published_schema_is_that_of_the_code() -> None:
    write = "write it again: python -c 'from forestall.data.schema import *; print(schema_text(), end=\"\")'"
    assert SCHEMA.read_text(encoding="utf-8") == schema_text(), write


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(dataset_schema())


def test_there_are_dataset_files() -> None:
    assert {"simulated", "azure-pdm-hourly", "azure-pdm-daily"} <= {file.stem for file in FILES}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_committed_dataset_file_keeps_to_it(file: Path) -> None:
    content = read_yaml(file)
    jsonschema.validate(content, dataset_schema())
    assert validate(Dataset, content, file).about


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_committed_dataset_file_is_in_block_style_and_explained(file: Path) -> None:
    lines = file.read_text(encoding="utf-8").splitlines()
    settings = [line for line in lines if not line.lstrip().startswith("#")]
    assert not [line for line in settings if line.rstrip().endswith(("]", "}")) or ": [" in line]
    sections = [n for n, line in enumerate(lines) if line[:1].isalpha()]
    assert [lines[n] for n in sections if not lines[n - 1].startswith("#")] == []


def test_a_misspelt_key_is_against_it() -> None:
    content = read_yaml(FILES[0])
    content["decisions"]["horizn"] = "1h"
    with pytest.raises(jsonschema.ValidationError, match="horizn"):
        jsonschema.validate(content, dataset_schema())
