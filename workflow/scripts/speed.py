from pathlib import Path

from emonas.export.speed import measure_speed
from emonas.jobs import logged_job
from emonas.settings.load import check_settings
from emonas.settings.plan import Plan

with logged_job(Path(snakemake.log[0])):
    measure_speed(
        Plan(check_settings(snakemake.config)),
        snakemake.wildcards.protocol,
        snakemake.wildcards.system,
        Path(snakemake.output.speed),
    )
