from pathlib import Path

from emonas.cards import own_card
from emonas.checkpoints.record import read_checkpoint
from emonas.features.extraction import Resources
from emonas.features.transcription import TranscriptJob, transcribe
from emonas.jobs import logged_job
from emonas.kinds import kind_options
from emonas.learning.options import RuntimeOptions

params = snakemake.params.job

with logged_job(Path(snakemake.log[0])), own_card(snakemake.resources.gpu):
    transcribe(
        TranscriptJob(
            corpus=snakemake.wildcards.corpus,
            transcript=snakemake.wildcards.transcript,
            options=kind_options("recogniser", params["options"]),
            manifest=Path(snakemake.input.manifest),
            resources=Resources(
                RuntimeOptions.model_validate(params["runtime"]),
                read_checkpoint(Path(snakemake.input.checkpoint)),
                corpus=snakemake.wildcards.corpus,
            ),
            resume=Path("results/resume"),
            code=params["code"],
        ),
        Path(snakemake.output.transcript),
    )
