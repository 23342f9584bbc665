from pathlib import Path

from emonas.evaluate.differences import ProtocolRuns, subtract_protocols
from emonas.evaluate.job import EvaluatedCorpora
from emonas.evaluate.runs import RunFiles
from emonas.jobs import logged_job

pooled = snakemake.params.job["pooled"]
predictions = iter(snakemake.input.predictions)
tested = {}
for protocol, systems in snakemake.params.jobs.items():
    runs = {}
    for system, jobs in systems.items():
        runs[system] = []
        for job in jobs:
            seed, fold = job.removeprefix("seed").split("/")
            path = Path(next(predictions))
            runs[system].append(RunFiles(fold, int(seed), path, path.with_name("cost.json")))
    tested[protocol] = ProtocolRuns(protocol, pooled[protocol], runs)

with logged_job(Path(snakemake.log[0])):
    manifests = {Path(path).parent.name: Path(path) for path in snakemake.input.manifests}
    subtract_protocols(
        tested.pop(snakemake.wildcards.protocol),
        list(tested.values()),
        EvaluatedCorpora(manifests).speakers(),
        Path(snakemake.output.differences),
    )
