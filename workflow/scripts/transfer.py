from pathlib import Path

from emonas.jobs import logged_job
from emonas.protocols.options import ProtocolOptions
from emonas.protocols.transfer_job import write_transfer

with logged_job(Path(snakemake.log[0])):
    write_transfer(
        snakemake.wildcards.protocol,
        # Who is tested on whom within the protocol is nothing to another corpus.
        ProtocolOptions.model_validate({"test": "speaker", **snakemake.params.job["options"]}),
        snakemake.wildcards.corpus,
        {Path(path).parent.name: Path(path) for path in snakemake.input.manifests},
        Path(snakemake.output.transfer),
    )
