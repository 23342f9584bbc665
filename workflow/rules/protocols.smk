def manifest_files(corpora):
    return [f"results/corpora/{corpus}/manifest.csv" for corpus in corpora]


def manifests_of(wildcards):
    return manifest_files(PLAN.corpora_of(wildcards.protocol))


def heard_manifests_of(wildcards):
    """With those of the corpora that the models are tested on."""
    return manifest_files(PLAN.heard_corpora(wildcards.protocol))


def transfer_files(protocol):
    """The utterances of other corpora that every fold's model is tested on."""
    folder = f"results/protocols/{protocol}/transfer"
    return [f"{folder}/{corpus}.csv" for corpus in PLAN.transfers_of(protocol)]


def list_of(wildcards):
    """The user's own list of folds, where the protocol has one."""
    return PLAN.files_of(PLAN.settings.protocols[wildcards.protocol])


def parts_of(wildcards):
    return [
        f"results/protocols/{wildcards.protocol}/{fold}/{part}.csv"
        for fold in folds_of(wildcards.protocol)
        for part in ("train", "validation", "test")
    ]


# Which folds there are is known only when the manifest is.
checkpoint protocols:
    input:
        manifests=manifests_of,
        listed=list_of,
    output:
        index="results/protocols/{protocol}/folds.csv",
    log:
        "results/logs/protocols/{protocol}.log",
    params:
        job=lambda wildcards: PLAN.split_params(wildcards.protocol),
    resources:
        mem_mb=megabytes("protocols"),
        runtime=minutes("protocols"),
    conda:
        "../../envs/emonas.yaml"
    script:
        "../scripts/protocols.py"


rule fold:
    input:
        manifests=manifests_of,
        listed=list_of,
        # Not read: a group of folds that began before all of them are known would be lost.
        index=ancient("results/protocols/{protocol}/folds.csv"),
    output:
        train="results/protocols/{protocol}/{fold}/train.csv",
        validation="results/protocols/{protocol}/{fold}/validation.csv",
        test="results/protocols/{protocol}/{fold}/test.csv",
    log:
        "results/logs/fold/{protocol}/{fold}.log",
    group:
        group_of("fold", "protocol")
    params:
        job=lambda wildcards: PLAN.split_params(wildcards.protocol),
    resources:
        mem_mb=megabytes("fold"),
        runtime=minutes("fold"),
        lanes=1,
    conda:
        "../../envs/emonas.yaml"
    script:
        "../scripts/fold.py"


rule transfer:
    input:
        manifests=lambda wildcards: manifest_files(
            [*PLAN.corpora_of(wildcards.protocol), wildcards.corpus]
        ),
    output:
        transfer="results/protocols/{protocol}/transfer/{corpus}.csv",
    log:
        "results/logs/transfer/{protocol}/{corpus}.log",
    group:
        group_of("transfer", "protocol")
    params:
        job=lambda wildcards: PLAN.transfer_params(wildcards.protocol, wildcards.corpus),
    resources:
        mem_mb=megabytes("transfer"),
        runtime=minutes("transfer"),
        lanes=1,
    conda:
        "../../envs/emonas.yaml"
    script:
        "../scripts/transfer.py"


# Everything that learns needs the audit: a crossing that is not allowed stops the run. A checkpoint,
# because Snakemake asks of nothing behind an ancient input whether it is up to date until it has to
# look again: what learns would be left as it was.
checkpoint audit:
    input:
        manifests=heard_manifests_of,
        listed=list_of,
        parts=parts_of,
        transfer=lambda wildcards: transfer_files(wildcards.protocol),
    output:
        audit="results/protocols/{protocol}/audit.json",
    log:
        "results/logs/audit/{protocol}.log",
    params:
        job=lambda wildcards: PLAN.audit_params(wildcards.protocol),
    resources:
        mem_mb=megabytes("audit"),
        runtime=minutes("audit"),
    conda:
        "../../envs/emonas.yaml"
    script:
        "../scripts/audit.py"
