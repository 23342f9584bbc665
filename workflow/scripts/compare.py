from pathlib import Path

from emonas.evaluate.compare import compare_systems
from emonas.evaluate.job import EvaluatedCorpora
from emonas.evaluate.runs import RunFiles
from emonas.jobs import logged_job

predictions = iter(snakemake.input.predictions)
runs = {}
for system, jobs in snakemake.params.jobs.items():
    runs[system] = []
    for job in jobs:
        seed, fold = job.removeprefix("seed").split("/")
        path = Path(next(predictions))
        runs[system].append(RunFiles(fold, int(seed), path, path.with_name("cost.json")))

with logged_job(Path(snakemake.log[0])):
    manifests = {Path(path).parent.name: Path(path) for path in snakemake.input.manifests}
    compare_systems(
        snakemake.wildcards.protocol,
        runs,
        EvaluatedCorpora(manifests).speakers(),
        snakemake.params.job["pooled"],
        Path(snakemake.output.comparisons),
    )
