from emonas.report.names import report_figures, report_tables
from emonas.report.plan import ReportPlan
from emonas.settings.cards import report_plan

REPORT_PLAN = report_plan(PLAN, SETTINGS_FILE, f"snakemake --cores all --configfile {SETTINGS_FILE}")


def reported_files(wildcards):
    """Everything that the report reads; histories and genotypes stand beside predictions."""
    return [
        f"results/evaluate/{protocol}/{system}/metrics.json" for protocol, system in PLAN.runs
    ]


rule report:
    input:
        metrics=reported_files,
        audits=[f"results/protocols/{protocol}/audit.json" for protocol in PLAN.protocols],
        problems=[
            f"results/corpora/{corpus}/problems.csv"
            for protocol in PLAN.protocols
            for corpus in PLAN.corpora_of(protocol)
        ],
    output:
        page=report(
            "results/report/index.html",
            category="Report",
            caption="../report/page.rst",
        ),
        figures=report(
            [f"results/report/{name}" for name in report_figures(REPORT_PLAN)],
            category="Figures",
            caption="../report/figure.rst",
        ),
        tables=report(
            [f"results/report/{name}" for name in report_tables(REPORT_PLAN)],
            category="Tables",
            caption="../report/table.rst",
        ),
    log:
        "results/logs/report.log",
    params:
        job=PLAN.report_params(SETTINGS_FILE, REPORT_PLAN.command),
    conda:
        "../../envs/emonas.yaml"
    script:
        "../scripts/report.py"
