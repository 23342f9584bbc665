rule corpora:
    input:
        table=lambda wildcards: PLAN.files_of(PLAN.settings.corpora[wildcards.corpus]),
    output:
        manifest="results/corpora/{corpus}/manifest.csv",
        problems="results/corpora/{corpus}/problems.csv",
    log:
        "results/logs/corpora/{corpus}.log",
    params:
        job=lambda wildcards: PLAN.corpus_params(wildcards.corpus),
    resources:
        mem_mb=megabytes("corpora"),
        runtime=minutes("corpora"),
    conda:
        "../../envs/emonas.yaml"
    script:
        "../scripts/corpora.py"
