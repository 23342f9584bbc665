from pathlib import Path

from emonas.checkpoints.obtain import obtain_checkpoint
from emonas.checkpoints.options import CheckpointOptions
from emonas.checkpoints.places import checkpoint_folder
from emonas.jobs import logged_job

# The params say when to verify again; what the weights must be by now is in the settings.
options = snakemake.config["checkpoints"][snakemake.wildcards.checkpoint]

with logged_job(Path(snakemake.log[0])):
    obtain_checkpoint(
        snakemake.wildcards.checkpoint,
        CheckpointOptions.model_validate(options),
        checkpoint_folder(),
        Path(snakemake.output.record),
        # As the params have it, so that they stay the same as long as the record agrees.
        snakemake.params.job["given"],
    )
