"""What every job that learns is given: its name, its seed, and where and how it runs."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import torch

from emonas.learning.devices import prepare
from emonas.learning.options import RuntimeOptions
from emonas.learning.resume import ResumePoint, resume_point
from emonas.learning.seeds import seed_of
from emonas.options import Options


@dataclass(frozen=True, kw_only=True)
class LearningJob:
    """The base of a search, a training and a fusion.

    Args:
        name: protocol, system, seed and fold, such as `demo/cnn/seed0/group1`: it tells this job
            from others and is, with the seed, the source of its random numbers.
        seed: the run's seed.
        runtime: where it is computed.
        resume: the folder of what interrupted jobs left.
        code: digest of the code that runs.
    """

    name: str
    seed: int
    runtime: RuntimeOptions
    resume: Path
    code: str

    def prepare(self) -> torch.device:
        """Seed torch by the job, set its threads, and choose the device.

        Raises:
            EmonasError: a GPU is asked for where there is none.
        """
        return prepare(self.runtime, seed_of(self.seed, self.name))

    def resume_point(
        self, stage: str, inputs: list[Path], **options: Options
    ) -> AbstractContextManager[ResumePoint]:
        """Where an interrupted job of these options, code and inputs stopped."""
        given = {"runtime": self.runtime, **options}
        params = {
            "name": self.name,
            "seed": self.seed,
            "code": self.code,
            **{key: value.model_dump(mode="json") for key, value in given.items()},
        }
        return resume_point(self.resume, stage, params, inputs)
