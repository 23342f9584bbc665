from pathlib import Path

from emonas.jobs import logged_job
from emonas.kinds import kind_options
from emonas.learning.options import RuntimeOptions
from emonas.systems.data import feature_paths
from emonas.systems.trained import TrainedFiles
from emonas.train.transfer import TransferJob, predict_transfer

params, given = snakemake.params.job, snakemake.input
genotype = given.genotype

with logged_job(Path(snakemake.log[0])):
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
            features=feature_paths(snakemake.params.features),
            runtime=RuntimeOptions.model_validate(params["runtime"]),
        ),
        Path(snakemake.output.predictions),
    )
