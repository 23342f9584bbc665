from pathlib import Path

from emonas.cards import own_card
from emonas.fuse.job import FuseJob, fuse_streams
from emonas.fuse.joint import JointInputs, trained_streams
from emonas.fuse.options import FusionOptions
from emonas.jobs import logged_job
from emonas.learning.job import resume_root
from emonas.learning.options import RuntimeOptions
from emonas.storage.folds import PARTS
from emonas.systems.material import feature_paths
from emonas.systems.outputs import SystemOutputs

wildcards, params = snakemake.wildcards, snakemake.params.job
options = FusionOptions.model_validate(params["system"])
trained = {Path(path).parts[-4]: Path(path).parent for path in snakemake.input.predictions}
fold = Path("results/protocols", wildcards.protocol, wildcards.fold)

with logged_job(Path(snakemake.log[0])), own_card(snakemake.resources.gpu):
    fuse_streams(
        FuseJob(
            name=f"{wildcards.protocol}/{wildcards.system}/seed{wildcards.seed}/{wildcards.fold}",
            options=options,
            seed=int(wildcards.seed),
            predictions={name: folder / "predictions.h5" for name, folder in trained.items()},
            costs={name: folder / "cost.json" for name, folder in trained.items()},
            runtime=RuntimeOptions.model_validate(params["runtime"]),
            resume=resume_root(snakemake.config),
            code=params["code"],
            joint=JointInputs(
                streams=trained_streams(params["streams"], trained, snakemake.params.genotypes),
                features=feature_paths(snakemake.params.features),
                parts={part: fold / f"{part}.csv" for part in PARTS},
            )
            if options.joint
            else None,
        ),
        SystemOutputs(**{name: Path(path) for name, path in snakemake.output.items()}),
    )
