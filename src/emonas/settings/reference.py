"""The settings reference and the JSON schema, generated from the model."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, Discriminator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from emonas.checkpoints.options import CheckpointOptions
from emonas.fuse.options import FusionOptions
from emonas.kinds import Family, all_kinds
from emonas.protocols.options import ProtocolOptions
from emonas.report.embeddings_options import EmbeddingPanelOptions, EmbeddingsOptions
from emonas.report.figure_kinds import figure_kind
from emonas.report.gates_options import GatesOptions
from emonas.report.options import (
    ColumnOptions,
    FigureOptions,
    PanelOptions,
    RowOptions,
    TableOptions,
)
from emonas.settings.model import RecognitionOptions, RunOptions, settings_model
from emonas.storage.atomic import write_text

_HEAD = """# Settings

Written by `emonas reference docs`; a test holds it equal to the models. A default marked (ours),
(our reading) or (DARTS' code) is not the paper's own word.
"""


def write_reference(folder: Path) -> list[Path]:
    """Write `settings.md` and `settings.schema.json`."""
    pages = {"settings.md": reference_page(), "settings.schema.json": schema_text()}
    for name, text in pages.items():
        write_text(folder / name, text)
    return [folder / name for name in pages]


def schema_text() -> str:
    """The JSON schema of a settings file, for editors."""
    return json.dumps(settings_model().model_json_schema(), indent=1) + "\n"


def reference_page() -> str:
    """A table for every part of the settings."""
    parts = [_HEAD, _table("Top level", settings_model())]
    families: dict[Family, str] = {
        "reader": "`corpora`: readers",
        "extractor": "`features`: extractors",
        "recogniser": "`transcripts`: recognisers",
        "network": "`systems`: networks",
        "method": "`search` of a system: methods",
    }
    parts.append(_table("`protocols`", ProtocolOptions))
    parts.append(_table("`checkpoints`", CheckpointOptions))
    for family, title in families.items():
        parts.append(f"## {title}\n")
        for name, module in all_kinds(family).items():
            parts.append(_table(f"`{family}: {name}`", module.Options, level=3))
    parts.append(_table("`systems`: fusions", FusionOptions))
    parts.append(_table("`runs`", RunOptions))
    parts.append(_table("`recognition`", RecognitionOptions))
    parts.append(_table("`tables`", TableOptions))
    parts.append(_table("`rows` of a table", RowOptions))
    parts.append(_table("`columns` of a table, `lines` of a figure of lines", ColumnOptions))
    parts.append(_table("`figures`: lines", FigureOptions))
    parts.append(_table("`panels` of a figure of lines", PanelOptions))
    parts.append(_table("`figures`: embeddings", EmbeddingsOptions))
    parts.append(_table("`panels` of a figure of embeddings", EmbeddingPanelOptions))
    parts.append(_table("`figures`: gates", GatesOptions))
    return "\n".join(parts)


def _table(title: str, model: type[BaseModel], level: int = 2) -> str:
    lines = [f"{'#' * level} {title}\n", f"{_summary(model)}\n"]
    lines += ["| key | values | default | meaning |", "| --- | --- | --- | --- |"]
    lines += [f"| {' | '.join(row)} |" for row in _rows(model)]
    return "\n".join(lines) + "\n"


def _summary(model: type[BaseModel]) -> str:
    return " ".join((model.__doc__ or "").split())


def _rows(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, str, str, str]]:
    """A row a field; the fields of a model within stand by their path."""
    for name, field in model.model_fields.items():
        key = prefix + (field.alias or name)
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _rows(inner, f"{key}.")
        else:
            values = (f"`{key}`", _values(inner), _default(field), field.description or "")
            yield tuple(" ".join(cell.replace("|", "\\|").split()) for cell in values)  # type: ignore[misc]


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is PydanticUndefined or value is None:
        return "none"
    if isinstance(value, Mapping | tuple | list) and not value:
        return "empty"
    return f"`{', '.join(map(str, value)) if isinstance(value, tuple) else value}`"


def _values(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in arguments)
    if origin is Annotated:
        return _told_apart_by(arguments[1:]) or _values(arguments[0])
    if origin in (Union, UnionType):
        return " or ".join(_values(argument) for argument in arguments if argument is not NoneType)
    if origin in (tuple, dict):
        each = _values(arguments[0 if origin is tuple else 1])
        return f"list of {each}" if origin is tuple else f"{each} by name"
    plain = {str: "text", int: "integer", float: "number", bool: "true, false", Path: "path"}
    if annotation in plain:
        return plain[annotation]
    name = getattr(annotation, "__name__", str(annotation)).removesuffix("Options")
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()


def _told_apart_by(metadata: Iterable[Any]) -> str:
    """What the models of a union are called; empty where it is none of kinds."""
    for entry in metadata:
        if isinstance(entry, Discriminator):
            return "kind" if entry.discriminator is figure_kind else "network or fusion"
        if isinstance(entry, FieldInfo) and isinstance(entry.discriminator, str):
            return entry.discriminator
    return ""
