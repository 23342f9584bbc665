def genotype_path(protocol, system, seed, fold):
    """What a search found for the fold, or on the first fold where one search serves all."""
    if not PLAN.is_searched(system):
        return []
    if PLAN.uses_shared_search(system):
        fold = folds_of(protocol)[0]
    return f"results/search/{protocol}/{system}/seed{seed}/{fold}/genotype.json"


def genotype_of(wildcards):
    return genotype_path(**wildcards)


def searched_weights_of(wildcards):
    """The searched network's own weights, where it is tested without retraining."""
    if not PLAN.tests_searched(wildcards.system):
        return []
    return str(genotype_of(wildcards)).replace("genotype.json", "weights.safetensors")


def heard_files(wildcards):
    """The features of all parts of a fold, those of other corpora too."""
    return PLAN.feature_files(wildcards.system, PLAN.heard_corpora(wildcards.protocol))


def heard_paths(wildcards):
    return PLAN.feature_paths(wildcards.system, PLAN.heard_corpora(wildcards.protocol))


rule train:
    input:
        train="results/protocols/{protocol}/{fold}/train.csv",
        validation="results/protocols/{protocol}/{fold}/validation.csv",
        test="results/protocols/{protocol}/{fold}/test.csv",
        transfer=lambda wildcards: transfer_files(wildcards.protocol),
        # A gate and no content: what it allows now changes nothing that was learned behind it.
        audit=ancient("results/protocols/{protocol}/audit.json"),
        features=heard_files,
        genotype=genotype_of,
        searched=searched_weights_of,
    output:
        predictions="results/train/{protocol}/{system}/seed{seed}/{fold}/predictions.h5",
        history="results/train/{protocol}/{system}/seed{seed}/{fold}/history.csv",
        costs="results/train/{protocol}/{system}/seed{seed}/{fold}/cost.csv",
        cost="results/train/{protocol}/{system}/seed{seed}/{fold}/cost.json",
        weights="results/train/{protocol}/{system}/seed{seed}/{fold}/weights.safetensors",
    log:
        "results/logs/train/{protocol}/{system}-seed{seed}-{fold}.log",
    params:
        job=lambda wildcards: PLAN.train_params(wildcards.system),
        features=heard_paths,
    threads: PLAN.settings.runtime.torch_threads
    resources:
        gpu=GPUS,
    conda:
        "../../envs/emonas.yaml"
    script:
        "../scripts/train.py"
