"""What every job that learns is given: its name, its seed, and where and how it runs."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from emonas.errors import EmonasError
from emonas.learning.devices import prepare
from emonas.learning.loop import DivergedError
from emonas.learning.options import RuntimeOptions
from emonas.learning.resume import ResumePoint, resume_point
from emonas.learning.seeds import seed_of
from emonas.options import Options

_WORDS = {
    "search": ("search", "searched"),
    "train": ("training", "trained"),
    "fuse": ("fusion", "fused"),
}
"""What a stage is and does, in a sentence."""


def resume_root(settings: Mapping[str, Any]) -> Path | None:
    """Where jobs leave what they need to go on; nowhere with `keep: none`.

    From the settings as they were given, and no parameter of a job: what is kept reruns nothing.
    """
    return None if settings.get("keep") == "none" else Path("results/resume")


@dataclass(frozen=True, kw_only=True)
class LearningJob:
    """The base of a search, a training and a fusion.

    Args:
        name: protocol, system, seed and fold, such as `demo/cnn/seed0/group1`: it tells this job
            from others and is, with the seed, the source of its random numbers.
        seed: the run's seed.
        runtime: where it is computed.
        resume: the folder of what interrupted jobs left; None where they leave nothing.
        code: digest of the code that runs.
    """

    name: str
    seed: int
    runtime: RuntimeOptions
    resume: Path | None
    code: str

    def prepare(self) -> torch.device:
        """Seed torch by the job, set its threads, and choose the device.

        Raises:
            EmonasError: a GPU is asked for where there is none.
        """
        return prepare(self.runtime, seed_of(self.seed, self.name))

    @contextmanager
    def resume_point(
        self, stage: str, inputs: list[Path], **options: Options
    ) -> Iterator[ResumePoint]:
        """Where an interrupted job of these options, code and inputs stopped.

        Raises:
            EmonasError: what is learnt within diverged; its last good state stays.
        """
        if self.resume is None:
            place: AbstractContextManager[ResumePoint] = nullcontext(ResumePoint())
        else:
            place = resume_point(self.resume, stage, self._identity(options), inputs)
        with place as point:
            try:
                yield point
            except DivergedError as error:
                noun, done = _WORDS[stage]
                raise EmonasError(
                    f"{self.name}: the {noun} stopped in {error.what}; {_kept(error, point)}; "
                    f"{self.remedy(error, options)}, with which every fold and seed is {done} anew"
                ) from error

    def _identity(self, options: Mapping[str, Options]) -> dict[str, Any]:
        """What tells the states of this job from others."""
        given = {"runtime": self.runtime, **options}
        return {
            "name": self.name,
            "seed": self.seed,
            "code": self.code,
            **{key: value.model_dump(mode="json") for key, value in given.items()},
        }

    @property
    def system_name(self) -> str:
        """The system's name in the settings, as the job's own name has it."""
        _, system, *_ = [*self.name.split("/"), self.name]
        return system

    def remedy(self, error: DivergedError, options: Mapping[str, Options]) -> str:
        """The keys by which what diverged was learnt: those of a search go first."""
        if error.at_once:
            return "correct or scale the features that it hears"
        search = options.get("search")
        if hasattr(search, "learning_rate"):
            steps, path = search, f"systems.{self.system_name}.search"
        else:
            steps, path = (
                getattr(options["system"], "training", None),
                f"systems.{self.system_name}.training",
            )
        clips = getattr(steps, "clip", None) is not None
        return f"lower {path}.learning_rate or {'lower' if clips else 'set'} {path}.clip"


def _kept(error: DivergedError, point: ResumePoint) -> str:
    if point.folder is None:
        return "no state is kept (keep: none)"
    if error.epoch == 1:
        return "there is no good state before it"
    if not error.kept:
        return f"no weights are kept, and what was reached until then is in {point.folder}"
    return f"the state after epoch {error.epoch - 1} is kept in {point.folder}"
