# Never test.csv: what is searched may not know whom it will be tested on.
def searched_on(wildcards):
    """What has a say in a search: nothing, where the method draws by chance."""
    if not PLAN.search_reads_data(wildcards.system):
        return {}
    fold = f"results/protocols/{wildcards.protocol}/{wildcards.fold}"
    return {
        "train": f"{fold}/train.csv",
        "validation": f"{fold}/validation.csv",
        "features": PLAN.feature_files(wildcards.system, PLAN.corpora_of(wildcards.protocol)),
    }


def budget_of(wildcards):
    """What the search computed that says how much this one may, on the same seed and fold."""
    system = PLAN.budget_of(wildcards.system)
    if system is None:
        return []
    found = genotype_path(wildcards.protocol, system, wildcards.seed, wildcards.fold)
    return found.replace("genotype.json", "cost.csv")


rule search:
    input:
        unpack(searched_on),
        # A gate and no content: what it allows now changes nothing that was learned behind it.
        audit=ancient("results/protocols/{protocol}/audit.json"),
        archive=lambda wildcards: PLAN.files_of(PLAN.settings.systems[wildcards.system].search),
        budget=budget_of,
    output:
        genotype="results/search/{protocol}/{system}/seed{seed}/{fold}/genotype.json",
        history="results/search/{protocol}/{system}/seed{seed}/{fold}/history.csv",
        costs="results/search/{protocol}/{system}/seed{seed}/{fold}/cost.csv",
        weights=weights("results/search/{protocol}/{system}/seed{seed}/{fold}/weights.safetensors"),
    log:
        "results/logs/search/{protocol}/{system}-seed{seed}-{fold}.log",
    group:
        group_of("search", "protocol", "system", "seed")
    params:
        job=lambda wildcards: PLAN.search_params(wildcards.system),
        features=lambda wildcards: (
            PLAN.feature_paths(wildcards.system, PLAN.corpora_of(wildcards.protocol))
            if PLAN.search_reads_data(wildcards.system)
            else {}
        ),
    threads: PLAN.settings.runtime.torch_threads
    resources:
        mem_mb=megabytes("search"),
        runtime=minutes("search"),
        gpu=cards("search"),
        lanes=1,
    conda:
        "../../envs/emonas.yaml"
    script:
        "../scripts/search.py"
