def genotype_path(protocol, system, seed, fold, corpus=None):
    """What a search found for the fold, or on the first fold where one search serves all."""
    if not PLAN.is_searched(system):
        return []
    if PLAN.uses_shared_search(system):
        fold = folds_of(protocol)[0]
    searcher = PLAN.searcher_of(system)
    return f"results/search/{protocol}/{searcher}/seed{seed}/{fold}/genotype.json"


def genotype_of(wildcards):
    return genotype_path(**wildcards)


def searched_weights_of(wildcards):
    """The searched network's own weights, where it is tested without retraining."""
    if not PLAN.tests_searched(wildcards.system):
        return []
    return str(genotype_of(wildcards)).replace("genotype.json", "weights.safetensors")


def own_features(wildcards):
    return PLAN.feature_files(wildcards.system, PLAN.corpora_of(wildcards.protocol))


def own_feature_paths(wildcards):
    return PLAN.feature_paths(wildcards.system, PLAN.corpora_of(wildcards.protocol))


def start_of(wildcards):
    """The weights of the system that one starts from, of the same fold and seed."""
    start = PLAN.start_of(wildcards.system)
    if start is None:
        return []
    folder = f"results/train/{wildcards.protocol}/{start}/seed{wildcards.seed}"
    return f"{folder}/{wildcards.fold}/weights.safetensors"


def checkpoint_of(wildcards):
    return PLAN.pretrained.record_of(PLAN.settings.systems[wildcards.system])


rule train:
    input:
        train="results/protocols/{protocol}/{fold}/train.csv",
        validation="results/protocols/{protocol}/{fold}/validation.csv",
        test="results/protocols/{protocol}/{fold}/test.csv",
        # A gate and no content: what it allows now changes nothing that was learned behind it.
        audit=ancient("results/protocols/{protocol}/audit.json"),
        features=own_features,
        genotype=genotype_of,
        searched=searched_weights_of,
        start=start_of,
        checkpoint=checkpoint_of,
        manifests=lambda wildcards: manifest_files(
            PLAN.task_corpora(wildcards.system, PLAN.corpora_of(wildcards.protocol))
        ),
    output:
        predictions="results/train/{protocol}/{system}/seed{seed}/{fold}/predictions.h5",
        history="results/train/{protocol}/{system}/seed{seed}/{fold}/history.csv",
        costs="results/train/{protocol}/{system}/seed{seed}/{fold}/cost.csv",
        cost="results/train/{protocol}/{system}/seed{seed}/{fold}/cost.json",
        weights=weights("results/train/{protocol}/{system}/seed{seed}/{fold}/weights.safetensors"),
    log:
        "results/logs/train/{protocol}/{system}-seed{seed}-{fold}.log",
    group:
        group_of("train", "protocol", "system", "seed")
    params:
        job=lambda wildcards: PLAN.train_params(wildcards.system),
        features=own_feature_paths,
    threads: PLAN.settings.runtime.torch_threads
    resources:
        mem_mb=megabytes("train"),
        runtime=minutes("train"),
        gpu=cards("train"),
        lanes=1,
    conda:
        "../../envs/emonas.yaml"
    script:
        "../scripts/train.py"


# Apart from the training: another map, or one more corpus, trains nothing again.
rule train_transfer:
    input:
        part="results/protocols/{protocol}/transfer/{corpus}.csv",
        predictions="results/train/{protocol}/{system}/seed{seed}/{fold}/predictions.h5",
        weights="results/train/{protocol}/{system}/seed{seed}/{fold}/weights.safetensors",
        genotype=genotype_of,
        checkpoint=checkpoint_of,
        manifests=lambda wildcards: manifest_files(
            PLAN.task_corpora(wildcards.system, [wildcards.corpus])
        ),
        features=lambda wildcards: PLAN.feature_files(wildcards.system, [wildcards.corpus]),
    output:
        predictions="results/train/{protocol}/{system}/seed{seed}/{fold}/transfer/{corpus}.h5",
    log:
        "results/logs/train/{protocol}/{system}-seed{seed}-{fold}-transfer-{corpus}.log",
    group:
        group_of("train_transfer", "protocol", "system", "seed")
    params:
        job=lambda wildcards: PLAN.train_transfer_params(wildcards.system),
        features=lambda wildcards: PLAN.feature_paths(wildcards.system, [wildcards.corpus]),
    threads: PLAN.settings.runtime.torch_threads
    resources:
        mem_mb=megabytes("train_transfer"),
        runtime=minutes("train_transfer"),
        gpu=cards("train_transfer"),
        lanes=1,
    conda:
        "../../envs/emonas.yaml"
    script:
        "../scripts/train_transfer.py"


# For the report alone, of the runs that ask for it: the test part has a part in these trainings.
rule train_inflated:
    input:
        train="results/protocols/{protocol}/{fold}/train.csv",
        validation="results/protocols/{protocol}/{fold}/validation.csv",
        test="results/protocols/{protocol}/{fold}/test.csv",
        audit=ancient("results/protocols/{protocol}/audit.json"),
        features=own_features,
        genotype=genotype_of,
        start=start_of,
        checkpoint=checkpoint_of,
        manifests=lambda wildcards: manifest_files(
            PLAN.task_corpora(wildcards.system, PLAN.corpora_of(wildcards.protocol))
        ),
    output:
        inflated="results/train/{protocol}/{system}/seed{seed}/{fold}/inflated.h5",
    log:
        "results/logs/train/{protocol}/{system}-seed{seed}-{fold}-inflated.log",
    group:
        group_of("train_inflated", "protocol", "system", "seed")
    params:
        job=lambda wildcards: PLAN.train_inflated_params(wildcards.system),
        features=own_feature_paths,
    threads: PLAN.settings.runtime.torch_threads
    resources:
        mem_mb=megabytes("train_inflated"),
        runtime=minutes("train_inflated"),
        gpu=cards("train_inflated"),
        lanes=1,
    conda:
        "../../envs/emonas.yaml"
    script:
        "../scripts/train.py"
