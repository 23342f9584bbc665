"""The settings reference and the JSON schema are those of the models."""

import json
import re
from pathlib import Path
from typing import get_args

import jsonschema
import pytest
import yaml

from emonas.checkpoints.options import CheckpointOptions
from emonas.kinds import Family, all_kinds
from emonas.settings.expansion import expand_systems
from emonas.settings.model import RecognitionOptions
from emonas.settings.reference import reference_page, schema_text, write_reference

ROOT = Path(__file__).parents[2]
FILES = [ROOT / "config.yaml", *sorted((ROOT / "workflow").glob("*/*.yaml"))]
SETTINGS = [path for path in FILES if path.parent.name in ("papers", "examples", ROOT.name)]


@pytest.mark.parametrize(
    ("name", "made"), [("settings.md", reference_page), ("settings.schema.json", schema_text)]
)
def test_the_documents_are_up_to_date(name, made):
    assert (ROOT / "docs" / name).read_text() == made(), "write them again: make docs"


def test_what_is_written_is_what_is_made(tmp_path):
    paths = write_reference(tmp_path / "my docs")
    assert [path.name for path in paths] == ["settings.md", "settings.schema.json"]
    assert paths[0].read_text() == reference_page()
    json.loads(paths[1].read_text())


@pytest.mark.parametrize("family", get_args(Family))
def test_every_kind_and_every_option_has_its_row(family):
    page = reference_page()
    for name, module in all_kinds(family).items():
        heading = f"### `{family}: {name}`\n"
        assert page.count(heading) == 1
        section = page.split(heading)[1].split("\n##")[0]
        for option in module.Options.model_fields:
            assert f"| `{option}" in section, f"{name}: {option}"


def test_every_key_of_the_top_level_has_its_row_and_its_section():
    page, schema = reference_page(), json.loads(schema_text())
    table = page.split("## Top level\n")[1].split("\n## ")[0]
    assert {"corpora", "checkpoints", "features", "transcripts"} <= set(schema["properties"])
    for key, value in schema["properties"].items():
        # The keys of a model within have a row each, by their path.
        assert any(f"\n| `{key}{end}" in table for end in ("` |", ".")), key
        entries = [*value.get("patternProperties", {}).values(), value.get("items", {})]
        if any("$ref" in entry or "oneOf" in entry for entry in entries):
            assert re.search(rf"^## `{key}`", page, re.MULTILINE), key


@pytest.mark.parametrize("model", [CheckpointOptions, RecognitionOptions])
def test_every_option_of_a_part_has_its_row(model):
    key = model.__name__.removesuffix("Options").lower()
    section = re.split(rf"\n## `{key}s?`\n", reference_page())[1].split("\n## ")[0]
    for option in model.model_fields:
        assert f"\n| `{option}` |" in section, option


def test_no_row_lacks_its_meaning():
    rows = [line for line in reference_page().splitlines() if line.startswith("| `")]
    assert len(rows) > 100
    assert [row for row in rows if not row.rstrip("| ").count("|") >= 4] == []


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(json.loads(schema_text()))


@pytest.mark.parametrize("path", SETTINGS, ids=lambda path: path.stem)
def test_settings_files_are_valid_by_the_schema(path):
    document = yaml.safe_load(path.read_text())
    document["systems"] = expand_systems(document["systems"])
    jsonschema.Draft202012Validator(json.loads(schema_text())).validate(document)


@pytest.mark.parametrize(
    "change",
    [
        {"titel": "misspelt"},
        {"corpora": {"demo": {"reader": "nobody"}}},
        {"runs": []},
    ],
)
def test_the_schema_refuses_what_the_models_refuse(change):
    document = yaml.safe_load((ROOT / "config.yaml").read_text()) | change
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(json.loads(schema_text())).validate(document)
