from pathlib import Path

from emonas.cards import own_card
from emonas.checkpoints.record import read_checkpoint
from emonas.features.extraction import Resources
from emonas.features.job import FeatureJob, extract_feature
from emonas.jobs import logged_job
from emonas.kinds import kind_options
from emonas.learning.options import RuntimeOptions

params = snakemake.params.job
given = {name: Path(path) for name, path in snakemake.input.items() if isinstance(path, str)}

with logged_job(Path(snakemake.log[0])), own_card(snakemake.resources.gpu):
    extract_feature(
        FeatureJob(
            corpus=snakemake.wildcards.corpus,
            feature=snakemake.wildcards.feature,
            options=kind_options("extractor", params["options"]),
            manifest=given["manifest"],
            resources=Resources(
                runtime=RuntimeOptions.model_validate(params.get("runtime", {})),
                checkpoint=read_checkpoint(given["checkpoint"]) if "checkpoint" in given else None,
                layers=tuple(params["layers"]),
                corpus=snakemake.wildcards.corpus,
            ),
            resume=Path("results/resume"),
            code=params["code"],
            digest=snakemake.params.digest,
            transcript=given.get("transcript"),
        ),
        Path(snakemake.output.features),
    )
