from pathlib import Path

from emonas.cards import own_card
from emonas.jobs import logged_job
from emonas.kinds import kind_options
from emonas.learning.options import RuntimeOptions
from emonas.systems.material import material
from emonas.systems.trained import TrainedFiles
from emonas.train.transfer import TransferJob, predict_transfer

params, given = snakemake.params.job, snakemake.input
genotype, checkpoint = given.genotype, given.checkpoint

with logged_job(Path(snakemake.log[0])), own_card(snakemake.resources.gpu):
    predict_transfer(
        TransferJob(
            trained=TrainedFiles(
                system=kind_options("network", params["system"]),
                weights=Path(given.weights),
                genotype=Path(genotype) if isinstance(genotype, str) else None,
                searched=params["searched"],
            ),
            predictions=Path(given.predictions),
            part=Path(given.part),
            material=material(
                snakemake.params.features,
                Path(checkpoint) if isinstance(checkpoint, str) else None,
                given.manifests,
            ),
            runtime=RuntimeOptions.model_validate(params["runtime"]),
        ),
        Path(snakemake.output.predictions),
    )
