from pathlib import Path

from emonas.evaluate.job import EvaluatedCorpora, evaluate_system
from emonas.evaluate.runs import RunFiles
from emonas.jobs import logged_job

wildcards, params = snakemake.wildcards, snakemake.params.job
runs = []
for job, predictions, cost in zip(
    snakemake.params.jobs, snakemake.input.predictions, snakemake.input.costs, strict=True
):
    seed, fold = job.removeprefix("seed").split("/")
    folder = Path(predictions).parent / "transfer"
    elsewhere = {name: folder / f"{name}.h5" for name in snakemake.params.transfer}
    inflated = folder.with_name("inflated.h5") if snakemake.input.inflated else None
    runs.append(RunFiles(fold, int(seed), Path(predictions), Path(cost), elsewhere, inflated))

with logged_job(Path(snakemake.log[0])):
    evaluate_system(
        wildcards.protocol,
        wildcards.system,
        runs,
        EvaluatedCorpora(
            {Path(path).parent.name: Path(path) for path in snakemake.input.manifests},
            snakemake.params.transfer,
        ),
        params["pooled"],
        params["repeated"],
        Path(snakemake.output.metrics),
    )
