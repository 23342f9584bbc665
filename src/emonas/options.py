"""The base of every model that is a part of the settings file."""

from pydantic import BaseModel, ConfigDict


class Options(BaseModel):
    """Options of one part: unknown keys are refused, and nobody changes them after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())
