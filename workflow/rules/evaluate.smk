def system_files(wildcards, file):
    """A file of every seed and fold of a system."""
    protocol, system = wildcards.protocol, wildcards.system
    folder = f"results/{PLAN.stage_of(system)}/{protocol}/{system}"
    return [f"{folder}/{job}/{file}" for job in jobs_of(protocol, system)]


rule evaluate:
    input:
        predictions=lambda wildcards: system_files(wildcards, "predictions.h5"),
        costs=lambda wildcards: system_files(wildcards, "cost.json"),
        transfer=lambda wildcards: [
            path
            for corpus in PLAN.tested_elsewhere(wildcards.protocol, wildcards.system)
            for path in system_files(wildcards, f"transfer/{corpus}.h5")
        ],
        manifests=heard_manifests_of,
    output:
        metrics="results/evaluate/{protocol}/{system}/metrics.json",
    log:
        "results/logs/evaluate/{protocol}/{system}.log",
    group:
        group_of("evaluate", "protocol")
    params:
        job=lambda wildcards: PLAN.evaluate_params(wildcards.protocol),
        transfer=lambda wildcards: PLAN.tested_elsewhere(wildcards.protocol, wildcards.system),
        jobs=lambda wildcards: jobs_of(wildcards.protocol, wildcards.system),
    resources:
        mem_mb=megabytes("evaluate"),
        runtime=minutes("evaluate"),
        lanes=1,
    conda:
        "../../envs/emonas.yaml"
    script:
        "../scripts/evaluate.py"


# For `keep: best`: what stays when the weights of all seeds and folds go.
rule best:
    input:
        predictions=lambda wildcards: system_files(wildcards, "predictions.h5"),
        weights=lambda wildcards: system_files(wildcards, "weights.safetensors"),
    output:
        weights="results/evaluate/{protocol}/{system}/best.safetensors",
        which="results/evaluate/{protocol}/{system}/best.json",
    log:
        "results/logs/best/{protocol}/{system}.log",
    params:
        job=PLAN.best_params(),
        jobs=lambda wildcards: jobs_of(wildcards.protocol, wildcards.system),
    resources:
        mem_mb=megabytes("best"),
        runtime=minutes("best"),
    conda:
        "../../envs/emonas.yaml"
    script:
        "../scripts/best.py"
