from pathlib import Path

from emonas.evaluate.best import Trained, keep_best
from emonas.jobs import logged_job

given = snakemake.input
trained = [
    Trained(job, Path(predictions), Path(weights))
    for job, predictions, weights in zip(
        snakemake.params.jobs, given.predictions, given.weights, strict=True
    )
]

with logged_job(Path(snakemake.log[0])):
    keep_best(trained, Path(snakemake.output.weights), Path(snakemake.output.which))
