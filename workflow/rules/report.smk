from emonas.report.embedded import embedded_files
from emonas.report.names import (
    FOLD_CAPTIONS,
    FOLDS,
    caption_of,
    report_captions,
    report_figures,
    report_numbers,
    report_tables,
)
from emonas.report.places import FoldFigure, place_of
from emonas.settings.cards import report_plan

REPORT_PLAN = report_plan(PLAN, SETTINGS_FILE, COMMAND)


def reported_files(stage, file):
    """A file of every seed and fold of all systems that have the stage."""
    return [
        f"results/{stage}/{protocol}/{system}/{job}/{file}"
        for protocol, system in PLAN.runs
        for job in reported_jobs(stage, protocol, system)
    ]


def reported_jobs(stage, protocol, system):
    if stage == "search":
        return searches_of(protocol, system)
    return jobs_of(protocol, system) if PLAN.stage_of(system) == stage else []


def learning_files(wildcards):
    """What the report draws beside the metrics: how it was learned, and what that cost."""
    return [
        path
        for stage in ("search", "train", "fuse")
        for file in ("history.csv", "cost.csv")
        for path in reported_files(stage, file)
    ]


def embeddings_of_figures(wildcards):
    """The predictions whose embeddings are drawn: other training, another picture."""
    folds = {protocol: folds_of(protocol) for protocol in PLAN.protocols}
    try:
        return [
            f"results/{path}"
            for protocol in PLAN.protocols
            for path in embedded_files(REPORT_PLAN, protocol, folds[protocol])
        ]
    except EmonasError as error:
        sys.exit(f"emonas: {error}")


def reported(name):
    """A figure or table, with its place in Snakemake's own report."""
    return placed(f"results/report/{name}", place_of(REPORT_PLAN, name), caption_of(name))


def reported_folds():
    """The figures of other folds, which are found when Snakemake's report is made."""
    every = FoldFigure("{protocol}", "{system}", "{drawing}", "{fold}")
    pattern = every.file.removeprefix(f"{FOLDS}/")
    folder = directory(f"results/report/{FOLDS}")
    return placed(folder, every.place, FOLD_CAPTIONS, patterns=[pattern])


def placed(path, place, caption, **found):
    """A file, or what is found in a folder, with its place in Snakemake's own report.

    Its caption quotes the settings; the job writes it beside the figures, and it is read when
    Snakemake's report is made.
    """
    suffix = (found["patterns"][0] if found else path).rpartition(".")[2]
    return report(
        path,
        caption=os.path.abspath(f"results/report/{caption}"),
        category=place.category,
        subcategory=place.subcategory,
        labels={"what": place.word, "as": suffix},
        **found,
    )


rule report:
    input:
        metrics=[
            f"results/evaluate/{protocol}/{system}/metrics.json" for protocol, system in PLAN.runs
        ],
        comparisons=[f"results/evaluate/{protocol}/comparisons.json" for protocol in PLAN.protocols],
        differences=[
            f"results/evaluate/{protocol}/differences.json" for protocol in PLAN.differences
        ],
        speeds=[
            f"results/evaluate/{protocol}/{system}/speed.json"
            for protocol in PLAN.protocols
            for system in PLAN.measured_systems(protocol)
        ],
        folds=[f"results/protocols/{protocol}/folds.csv" for protocol in PLAN.protocols],
        genotypes=lambda wildcards: reported_files("search", "genotype.json"),
        learning=learning_files,
        embeddings=embeddings_of_figures,
        audits=[f"results/protocols/{protocol}/audit.json" for protocol in PLAN.protocols],
        recognition=[
            f"results/recognition/{corpus}/{transcript}.json"
            for corpus, transcript in PLAN.recognised
        ],
        problems=[
            f"results/corpora/{corpus}/problems.csv"
            for protocol in PLAN.protocols
            for corpus in PLAN.heard_corpora(protocol)
        ],
    output:
        page=report(
            "results/report/index.html",
            category="Report",
            caption="../report/page.rst",
        ),
        figures=[reported(name) for name in report_figures(REPORT_PLAN)],
        folds=reported_folds(),
        numbers=[f"results/report/{name}" for name in report_numbers(REPORT_PLAN)],
        tables=[reported(name) for name in report_tables(REPORT_PLAN)],
        captions=[f"results/report/{name}" for name in report_captions(REPORT_PLAN)],
    log:
        "results/logs/report.log",
    params:
        job=PLAN.report_params(SETTINGS_FILE, REPORT_PLAN.command),
    # The last job, which would leave the other cores idle.
    threads: 4
    resources:
        mem_mb=megabytes("report"),
        runtime=minutes("report"),
    conda:
        "../../envs/emonas.yaml"
    script:
        "../scripts/report.py"
