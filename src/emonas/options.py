"""The base of every model that is a part of the settings file."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationInfo, field_validator

LONGEST_PATH, LONGEST_NAME = 1000, 250
"""Letters; systems have their ends at 1024 or 4096 bytes, and at 255 between two slashes."""
LayerName = Annotated[str, BeforeValidator(str, json_schema_input_type=str | int)]
"""A layer of a feature by its name; a number serves, because most layers are numbered."""


class Options(BaseModel):
    """Options of one part: unknown keys are refused, and nobody changes them after loading."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, protected_namespaces=(), allow_inf_nan=False
    )

    @field_validator("*")
    @classmethod
    def _path_can_be(cls, value: Any, info: ValidationInfo) -> Any:
        """Else the system refuses it in the middle of a job, or of looking whether it is there."""
        # Snakemake has no way to name such a file; it is not told of a corpus's root.
        if isinstance(value, Path) and info.field_name != "root" and set("{}") & set(str(value)):
            raise ValueError(f"{value} holds a brace, which Snakemake takes for its own; rename it")
        if isinstance(value, Path) and (
            len(str(value)) > LONGEST_PATH or any(len(part) > LONGEST_NAME for part in value.parts)
        ):
            raise ValueError(f"{str(value)[:50]}... is too long for a path; give another")
        return value
