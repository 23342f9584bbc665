def streams_of(wildcards, file):
    return [
        f"results/train/{wildcards.protocol}/{stream}/seed{wildcards.seed}/{wildcards.fold}/{file}"
        for stream in PLAN.streams_of(wildcards.system)
    ]


rule fuse:
    input:
        predictions=lambda wildcards: streams_of(wildcards, "predictions.h5"),
        costs=lambda wildcards: streams_of(wildcards, "cost.json"),
    output:
        predictions="results/fuse/{protocol}/{system}/seed{seed}/{fold}/predictions.h5",
        history="results/fuse/{protocol}/{system}/seed{seed}/{fold}/history.csv",
        costs="results/fuse/{protocol}/{system}/seed{seed}/{fold}/cost.csv",
        cost="results/fuse/{protocol}/{system}/seed{seed}/{fold}/cost.json",
        weights="results/fuse/{protocol}/{system}/seed{seed}/{fold}/weights.safetensors",
    log:
        "results/logs/fuse/{protocol}/{system}-seed{seed}-{fold}.log",
    params:
        job=lambda wildcards: PLAN.fuse_params(wildcards.system),
    conda:
        "../../envs/emonas.yaml"
    threads: PLAN.settings.runtime.torch_threads
    script:
        "../scripts/fuse.py"
