from pathlib import Path

from emonas.evaluate.recognition import evaluate_recognition
from emonas.jobs import logged_job

with logged_job(Path(snakemake.log[0])):
    evaluate_recognition(
        Path(snakemake.input.manifest),
        Path(snakemake.input.transcript),
        Path(snakemake.output.recognition),
    )
