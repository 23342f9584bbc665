from pathlib import Path

from emonas.jobs import logged_job
from emonas.report.job import write_report
from emonas.report.plan import ReportPlan

with logged_job(Path(snakemake.log[0])):
    write_report(
        ReportPlan.model_validate(snakemake.params.job["plan"]),
        Path("results"),
        Path(snakemake.output.page).parent,
        workers=snakemake.threads,
    )
