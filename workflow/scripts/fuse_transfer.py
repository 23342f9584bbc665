from pathlib import Path

from emonas.cards import own_card
from emonas.fuse.joint import JointInputs, trained_streams
from emonas.fuse.options import FusionOptions
from emonas.fuse.transfer import FuseTransferJob, fuse_transfer
from emonas.jobs import logged_job
from emonas.learning.options import RuntimeOptions
from emonas.systems.material import feature_paths

wildcards, params = snakemake.wildcards, snakemake.params.job
options = FusionOptions.model_validate(params["system"])
predictions = {Path(path).parts[-5]: Path(path) for path in snakemake.input.predictions}
protocol = Path("results/protocols", wildcards.protocol)
folders = {name: path.parents[1] for name, path in predictions.items()}

with logged_job(Path(snakemake.log[0])), own_card(snakemake.resources.gpu):
    fuse_transfer(
        FuseTransferJob(
            options=options,
            weights=Path(snakemake.input.weights),
            predictions=predictions,
            runtime=RuntimeOptions.model_validate(params["runtime"]),
            joint=JointInputs(
                streams=trained_streams(params["streams"], folders, snakemake.params.genotypes),
                features=feature_paths(snakemake.params.features),
                parts={
                    "train": protocol / wildcards.fold / "train.csv",
                    "test": protocol / "transfer" / f"{wildcards.corpus}.csv",
                },
            )
            if options.joint
            else None,
        ),
        Path(snakemake.output.predictions),
    )
