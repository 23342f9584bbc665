from pathlib import Path

from emonas.cards import own_card
from emonas.jobs import logged_job
from emonas.kinds import kind_options
from emonas.learning.job import resume_root
from emonas.learning.options import RuntimeOptions
from emonas.storage.folds import PARTS
from emonas.systems.material import material
from emonas.systems.outputs import SystemOutputs
from emonas.train.inflated import train_inflated
from emonas.train.job import TrainJob, train_system

wildcards, params = snakemake.wildcards, snakemake.params.job
given = {name: Path(path) for name, path in snakemake.input.items() if isinstance(path, str)}

outputs = {name: Path(path) for name, path in snakemake.output.items()}

with logged_job(Path(snakemake.log[0])), own_card(snakemake.resources.gpu):
    job = TrainJob(
        # Of the training itself, also where it is repeated: its random numbers come of it.
        name=f"{wildcards.protocol}/{wildcards.system}/seed{wildcards.seed}/{wildcards.fold}",
        system=kind_options("network", params["system"]),
        seed=int(wildcards.seed),
        material=material(
            snakemake.params.features, given.get("checkpoint"), snakemake.input.manifests
        ),
        parts={part: given[part] for part in PARTS},
        runtime=RuntimeOptions.model_validate(params["runtime"]),
        resume=resume_root(snakemake.config),
        code=params["code"],
        genotype=given.get("genotype"),
        searched=given.get("searched"),
        start=given.get("start"),
    )
    if "inflated" in outputs:
        train_inflated(job, outputs["inflated"])
    else:
        train_system(job, SystemOutputs(**outputs))
