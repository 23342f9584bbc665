from pathlib import Path

from emonas.evaluate.job import RunFiles, evaluate_system
from emonas.jobs import logged_job

wildcards, params = snakemake.wildcards, snakemake.params.job
runs = []
for job, predictions, cost in zip(
    snakemake.params.jobs, snakemake.input.predictions, snakemake.input.costs, strict=True
):
    seed, fold = job.removeprefix("seed").split("/")
    runs.append(RunFiles(fold, int(seed), Path(predictions), Path(cost)))

with logged_job(Path(snakemake.log[0])):
    evaluate_system(
        wildcards.protocol,
        wildcards.system,
        runs,
        params["pooled"],
        params["repeated"],
        Path(snakemake.output.metrics),
    )
