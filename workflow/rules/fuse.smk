def streams_of(wildcards, file):
    return [
        f"results/train/{wildcards.protocol}/{stream}/seed{wildcards.seed}/{wildcards.fold}/{file}"
        for stream in PLAN.streams_of(wildcards.system)
    ]


def joint_inputs_of(wildcards):
    """What training on with the fusion needs besides: the streams themselves, and the fold."""
    streams = PLAN.joint_streams_of(wildcards.system)
    if not streams:
        return []
    fold = f"results/protocols/{wildcards.protocol}/{wildcards.fold}"
    return [
        *streams_of(wildcards, "weights.safetensors"),
        *[f"{fold}/{part}.csv" for part in ("train", "validation", "test")],
        *own_features(wildcards),
    ]


def joint_transfer_inputs_of(wildcards):
    """The same for another corpus: whose utterances are predicted, and what the classes are."""
    streams = PLAN.joint_streams_of(wildcards.system)
    if not streams:
        return []
    corpora = [*PLAN.corpora_of(wildcards.protocol), wildcards.corpus]
    return [
        *streams_of(wildcards, "weights.safetensors"),
        f"results/protocols/{wildcards.protocol}/{wildcards.fold}/train.csv",
        f"results/protocols/{wildcards.protocol}/transfer/{wildcards.corpus}.csv",
        *PLAN.feature_files(wildcards.system, corpora),
    ]


def joint_genotypes_of(wildcards):
    """The genotypes of the streams that are trained on, by stream."""
    return {
        stream: genotype_path(**{**wildcards, "system": stream})
        for stream in PLAN.joint_streams_of(wildcards.system)
        if PLAN.is_searched(stream)
    }


rule fuse:
    input:
        predictions=lambda wildcards: streams_of(wildcards, "predictions.h5"),
        costs=lambda wildcards: streams_of(wildcards, "cost.json"),
        joint=joint_inputs_of,
        genotypes=lambda wildcards: list(joint_genotypes_of(wildcards).values()),
    output:
        predictions="results/fuse/{protocol}/{system}/seed{seed}/{fold}/predictions.h5",
        history="results/fuse/{protocol}/{system}/seed{seed}/{fold}/history.csv",
        costs="results/fuse/{protocol}/{system}/seed{seed}/{fold}/cost.csv",
        cost="results/fuse/{protocol}/{system}/seed{seed}/{fold}/cost.json",
        weights=weights("results/fuse/{protocol}/{system}/seed{seed}/{fold}/weights.safetensors"),
    log:
        "results/logs/fuse/{protocol}/{system}-seed{seed}-{fold}.log",
    group:
        group_of("fuse", "protocol", "system", "seed")
    params:
        job=lambda wildcards: PLAN.fuse_params(wildcards.system),
        genotypes=joint_genotypes_of,
        features=own_feature_paths,
    threads: PLAN.settings.runtime.torch_threads
    resources:
        mem_mb=megabytes("fuse"),
        runtime=minutes("fuse"),
        gpu=cards("fuse"),
        lanes=1,
    conda:
        "../../envs/emonas.yaml"
    script:
        "../scripts/fuse.py"


rule fuse_transfer:
    input:
        predictions=lambda wildcards: streams_of(wildcards, f"transfer/{wildcards.corpus}.h5"),
        weights="results/fuse/{protocol}/{system}/seed{seed}/{fold}/weights.safetensors",
        joint=joint_transfer_inputs_of,
        genotypes=lambda wildcards: list(joint_genotypes_of(wildcards).values()),
    output:
        predictions="results/fuse/{protocol}/{system}/seed{seed}/{fold}/transfer/{corpus}.h5",
    log:
        "results/logs/fuse/{protocol}/{system}-seed{seed}-{fold}-transfer-{corpus}.log",
    group:
        group_of("fuse_transfer", "protocol", "system", "seed")
    params:
        job=lambda wildcards: PLAN.fuse_transfer_params(wildcards.system),
        genotypes=joint_genotypes_of,
        features=lambda wildcards: PLAN.feature_paths(
            wildcards.system, [*PLAN.corpora_of(wildcards.protocol), wildcards.corpus]
        ),
    threads: PLAN.settings.runtime.torch_threads
    resources:
        mem_mb=megabytes("fuse_transfer"),
        runtime=minutes("fuse_transfer"),
        gpu=cards("fuse_transfer"),
        lanes=1,
    conda:
        "../../envs/emonas.yaml"
    script:
        "../scripts/fuse_transfer.py"
