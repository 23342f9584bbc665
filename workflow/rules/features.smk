rule features:
    input:
        manifest="results/corpora/{corpus}/manifest.csv",
        checkpoint=lambda wildcards: PLAN.files_of(PLAN.settings.features[wildcards.feature]),
    output:
        features="results/features/{corpus}/{feature}.h5",
    log:
        "results/logs/features/{corpus}-{feature}.log",
    params:
        job=lambda wildcards: PLAN.feature_params(wildcards.feature),
    threads: lambda wildcards: PLAN.feature_threads(wildcards.feature)
    conda:
        "../../envs/emonas.yaml"
    script:
        "../scripts/features.py"
