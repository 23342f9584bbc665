rule checkpoint:
    input:
        files=lambda wildcards: PLAN.pretrained.checkpoint_files(wildcards.checkpoint),
    output:
        record="results/checkpoints/{checkpoint}.json",
    log:
        "results/logs/checkpoints/{checkpoint}.log",
    params:
        job=lambda wildcards: PLAN.pretrained.checkpoint_params(wildcards.checkpoint),
    resources:
        mem_mb=megabytes("checkpoint"),
        runtime=minutes("checkpoint"),
    conda:
        "../../envs/emonas.yaml"
    script:
        "../scripts/checkpoints.py"
