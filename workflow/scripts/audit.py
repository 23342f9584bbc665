from pathlib import Path

from emonas.jobs import logged_job
from emonas.protocols.audit_job import write_audit
from emonas.protocols.options import ProtocolOptions

parts = {}
for path in map(Path, snakemake.input.parts):
    parts.setdefault(path.parent.name, {})[path.stem] = path

with logged_job(Path(snakemake.log[0])):
    write_audit(
        snakemake.wildcards.protocol,
        ProtocolOptions.model_validate(snakemake.params.job["options"]),
        {Path(path).parent.name: Path(path) for path in snakemake.input.manifests},
        parts,
        {Path(path).stem: Path(path) for path in snakemake.input.transfer},
        Path(snakemake.output.audit),
    )
