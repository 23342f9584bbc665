from pathlib import Path

from emonas.jobs import logged_job
from emonas.protocols.job import write_transfer
from emonas.protocols.options import ProtocolOptions

with logged_job(Path(snakemake.log[0])):
    write_transfer(
        snakemake.wildcards.protocol,
        ProtocolOptions.model_validate(snakemake.params.job["options"]),
        snakemake.wildcards.corpus,
        {Path(path).parent.name: Path(path) for path in snakemake.input.manifests},
        Path(snakemake.output.transfer),
    )
