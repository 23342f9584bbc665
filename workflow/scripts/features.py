from pathlib import Path

from emonas.features.job import extract_feature
from emonas.jobs import logged_job
from emonas.kinds import kind_options
from emonas.learning.options import RuntimeOptions

params = snakemake.params.job

with logged_job(Path(snakemake.log[0])):
    extract_feature(
        snakemake.wildcards.corpus,
        snakemake.wildcards.feature,
        kind_options("extractor", params["options"]),
        Path(snakemake.input.manifest),
        Path(snakemake.output.features),
        RuntimeOptions.model_validate(params.get("runtime", {})),
        params["code"],
    )
