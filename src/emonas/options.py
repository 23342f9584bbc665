"""The base of every model that is a part of the settings file."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

LayerName = Annotated[str, BeforeValidator(str, json_schema_input_type=str | int)]
"""A layer of a feature by its name; a number serves, because most layers are numbered."""


class Options(BaseModel):
    """Options of one part: unknown keys are refused, and nobody changes them after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())
