def system_files(protocol, system, file):
    """A file of every seed and fold of a system."""
    folder = f"results/{PLAN.stage_of(system)}/{protocol}/{system}"
    return [f"{folder}/{job}/{file}" for job in jobs_of(protocol, system)]


def run_of(wildcards):
    return wildcards.protocol, wildcards.system


rule evaluate:
    input:
        predictions=lambda wildcards: system_files(*run_of(wildcards), "predictions.h5"),
        costs=lambda wildcards: system_files(*run_of(wildcards), "cost.json"),
        transfer=lambda wildcards: [
            path
            for corpus in PLAN.tested_elsewhere(wildcards.protocol, wildcards.system)
            for path in system_files(*run_of(wildcards), f"transfer/{corpus}.h5")
        ],
        inflated=lambda wildcards: (
            system_files(*run_of(wildcards), "inflated.h5")
            if PLAN.inflates(*run_of(wildcards))
            else []
        ),
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


def systems_of(protocol):
    """The systems that run under a protocol."""
    return [system for other, system in PLAN.runs if other == protocol]


# Every two systems of a protocol on the same utterances.
rule compare:
    input:
        predictions=lambda wildcards: [
            path
            for system in systems_of(wildcards.protocol)
            for path in system_files(wildcards.protocol, system, "predictions.h5")
        ],
        manifests=manifests_of,
    output:
        comparisons="results/evaluate/{protocol}/comparisons.json",
    log:
        "results/logs/compare/{protocol}.log",
    params:
        job=lambda wildcards: PLAN.compare_params(wildcards.protocol),
        jobs=lambda wildcards: {
            system: jobs_of(wildcards.protocol, system)
            for system in systems_of(wildcards.protocol)
        },
    resources:
        mem_mb=megabytes("compare"),
        runtime=minutes("compare"),
    conda:
        "../../envs/emonas.yaml"
    script:
        "../scripts/compare.py"


def held_apart(protocol):
    """Seeds and folds by protocol and system: of a protocol, and of those that are taken off."""
    others = PLAN.differences[protocol]
    first = dict.fromkeys(system for systems in others.values() for system in systems)
    return {
        name: {system: jobs_of(name, system) for system in systems}
        for name, systems in {protocol: first, **others}.items()
    }


# Systems less themselves under other protocols, where the report shows that.
rule differences:
    input:
        predictions=lambda wildcards: [
            path
            for protocol, systems in held_apart(wildcards.protocol).items()
            for system in systems
            for path in system_files(protocol, system, "predictions.h5")
        ],
        manifests=lambda wildcards: manifest_files(
            sorted(
                {
                    corpus
                    for protocol in held_apart(wildcards.protocol)
                    for corpus in PLAN.corpora_of(protocol)
                }
            )
        ),
    output:
        differences="results/evaluate/{protocol}/differences.json",
    log:
        "results/logs/differences/{protocol}.log",
    params:
        job=lambda wildcards: PLAN.differences_params(wildcards.protocol),
        jobs=lambda wildcards: held_apart(wildcards.protocol),
    resources:
        mem_mb=megabytes("differences"),
        runtime=minutes("differences"),
    conda:
        "../../envs/emonas.yaml"
    script:
        "../scripts/differences.py"


# How fast a system is on this machine, by its first seed and fold. A file a system: a change of one
# measures, and with `keep` trains, no other again.
rule speed:
    input:
        trained=lambda wildcards: [
            path
            for name in dict.fromkeys([*PLAN.trained_of(wildcards.system), wildcards.system])
            for file in ("weights.safetensors", "predictions.h5")
            for path in system_files(wildcards.protocol, name, file)[:1]
        ],
        genotypes=lambda wildcards: [
            path
            for name in PLAN.trained_of(wildcards.system)
            for path in [
                genotype_path(wildcards.protocol, name, 0, folds_of(wildcards.protocol)[0])
            ]
            if path
        ],
        features=lambda wildcards: [
            path
            for name in PLAN.trained_of(wildcards.system)
            for path in PLAN.feature_files(name, PLAN.corpora_of(wildcards.protocol))
        ],
        manifests=manifests_of,
    output:
        speed="results/evaluate/{protocol}/{system}/speed.json",
    log:
        "results/logs/speed/{protocol}/{system}.log",
    params:
        job=PLAN.speed_params(),
    # Alone on this machine, so that nothing else is measured. `--report` and `-n` give no cores, and
    # `workflow.cores` would refuse them.
    threads: workflow.resource_settings.cores or 1
    resources:
        mem_mb=megabytes("speed"),
        runtime=minutes("speed"),
    conda:
        "../../envs/emonas.yaml"
    script:
        "../scripts/speed.py"


# For `keep: best`: what stays when the weights of all seeds and folds go.
rule best:
    input:
        predictions=lambda wildcards: system_files(*run_of(wildcards), "predictions.h5"),
        weights=lambda wildcards: system_files(*run_of(wildcards), "weights.safetensors"),
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
