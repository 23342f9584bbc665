"""An entry of the registry: where pretrained weights come from, and what they were trained on."""

from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from pydantic import Field, field_validator, model_validator

from emonas.checkpoints.recorded import Given
from emonas.options import Options


def address_name(address: str) -> str:
    """The file name at the end of an address; empty where there is none."""
    name = PurePosixPath(unquote(urlsplit(address).path)).name
    return "" if name == ".." else name


class CheckpointOptions(Options):
    """Pretrained weights by name; `path`, `address` or `hub` says where they are."""

    path: Path | None = Field(
        None, description="a local file, or the folder of a release; serves in the others' place"
    )
    address: str | None = Field(
        None,
        pattern=r"^(https?|file)://.+",
        description="address (https://..., http://... or file://...) of the released file, which "
        "is fetched once",
    )
    hub: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?$",
        description="name of a model of the Hugging Face hub, such as facebook/wav2vec2-base",
    )
    revision: str = Field(
        "main",
        pattern=r"^\w[\w./-]*$",
        description="revision of a hub's model: a branch, a tag or a commit",
    )
    file: str | None = Field(
        None,
        pattern=r"^[^/\\]*[^/\\.][^/\\]*$",
        description="name of the file or folder in the folder of fetched weights, "
        "$EMONAS_CHECKPOINTS; else the address's last part, or the hub's model",
    )
    size: int | None = Field(None, ge=1, description="bytes of the file, or of a folder's files")
    sha256: str | None = Field(
        None,
        pattern=r"^[0-9a-f]{64}$",
        description="SHA-256 of the file, or of a folder's list of names and digests; where it is "
        "given, other weights are refused",
    )
    licence: str = Field("", description="licence of the weights, for the report")
    pretrained_on: tuple[str, ...] = Field(
        (),
        description="corpora that the weights were trained on; the report warns where one of them "
        "is evaluated",
    )

    @field_validator("path")
    @classmethod
    def _begins_at_home(cls, path: Path | None) -> Path | None:
        return path and path.expanduser()

    @field_validator("address")
    @classmethod
    def _ends_in_a_file(cls, address: str | None) -> str | None:
        if address is not None and not address_name(address):
            raise ValueError("the address names no file at its end")
        return address

    @model_validator(mode="after")
    def _has_one_source(self) -> "CheckpointOptions":
        if self.address is not None and self.hub is not None:
            raise ValueError("give an address or a hub's model, not both")
        return self

    @property
    def given(self) -> Given:
        """What the weights must be; None where the settings do not say."""
        return {"size": self.size, "sha256": self.sha256}
