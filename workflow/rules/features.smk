rule features:
    input:
        manifest="results/corpora/{corpus}/manifest.csv",
        checkpoint=lambda wildcards: PLAN.pretrained.record_of(
            PLAN.settings.features[wildcards.feature]
        ),
        transcript=lambda wildcards: PLAN.pretrained.transcript_of(
            wildcards.feature, wildcards.corpus
        ),
        own=lambda wildcards: PLAN.pretrained.files_of(wildcards.feature, wildcards.corpus),
    output:
        features="results/features/{corpus}/{feature}.h5",
    log:
        "results/logs/features/{corpus}-{feature}.log",
    params:
        job=lambda wildcards: PLAN.feature_params(wildcards.feature),
        digest=lambda wildcards: PLAN.feature_digest(wildcards.feature),
    threads: lambda wildcards: PLAN.feature_threads(wildcards.feature)
    resources:
        mem_mb=megabytes("features"),
        runtime=minutes("features"),
        gpu=cards("features"),
    conda:
        lambda wildcards: PLAN.feature_environment(wildcards.feature)
    script:
        "../scripts/features.py"
