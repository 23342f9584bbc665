from pathlib import Path

from emonas.fuse.job import FuseJob, fuse_streams
from emonas.fuse.options import FusionOptions
from emonas.jobs import logged_job
from emonas.learning.options import RuntimeOptions
from emonas.systems.outputs import SystemOutputs

wildcards, params = snakemake.wildcards, snakemake.params.job
options = FusionOptions.model_validate(params["system"])

with logged_job(Path(snakemake.log[0])):
    fuse_streams(
        FuseJob(
            name=f"{wildcards.protocol}/{wildcards.system}/seed{wildcards.seed}/{wildcards.fold}",
            options=options,
            seed=int(wildcards.seed),
            predictions=dict(zip(options.fuse, map(Path, snakemake.input.predictions))),
            costs=dict(zip(options.fuse, map(Path, snakemake.input.costs))),
            runtime=RuntimeOptions.model_validate(params["runtime"]),
            resume=Path("results/resume"),
            code=params["code"],
        ),
        SystemOutputs(**{name: Path(path) for name, path in snakemake.output.items()}),
    )
