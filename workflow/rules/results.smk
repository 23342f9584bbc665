# What only stands between files that are there, Snakemake does not miss: a training that failed
# after a change, or a feature that was damaged, would leave the report of before as if it were of
# now. So the default target asks for all results by name, but for weights that go (`keep`).


def results_without_folds():
    """Those that can be named before any corpus is read."""
    heard = {corpus for protocol in PLAN.protocols for corpus in PLAN.heard_corpora(protocol)}
    features = {
        (feature, corpus)
        for protocol, system in PLAN.runs
        for feature in PLAN.features_of(system)
        for corpus in (
            *PLAN.corpora_of(protocol),
            *PLAN.tested_elsewhere(protocol, system),
        )
    }
    transcripts = {PLAN.pretrained.transcript_of(*heard_as) or None for heard_as in features}
    return [
        *manifest_files(sorted(heard)),
        *sorted(f"results/features/{corpus}/{feature}.h5" for feature, corpus in features),
        *sorted(transcripts - {None}),
        *[
            f"results/protocols/{protocol}/{file}"
            for protocol in PLAN.protocols
            for file in ("folds.csv", "audit.json")
        ],
        *[path for protocol in PLAN.protocols for path in transfer_files(protocol)],
        # What else the report is made of, whose page is no sign of it.
        *rules.report.input.metrics,
        *rules.report.input.comparisons,
        *rules.report.input.differences,
        *rules.report.input.speeds,
        *rules.report.input.recognition,
        *rules.report.input.problems,
    ]


def results_of_folds(wildcards):
    """Those of every fold and seed."""
    parts = [
        f"results/protocols/{protocol}/{fold}/{part}.csv"
        for protocol in PLAN.protocols
        for fold in folds_of(protocol)
        for part in ("train", "validation", "test")
    ]
    predictions = [
        path
        for protocol, system in PLAN.runs
        for file in (
            "predictions.h5",
            "cost.json",
            *(["inflated.h5"] if PLAN.inflates(protocol, system) else []),
            *[f"transfer/{corpus}.h5" for corpus in PLAN.tested_elsewhere(protocol, system)],
        )
        for path in system_files(protocol, system, file)
    ]
    return [
        *parts,
        *reported_files("search", "genotype.json"),
        *learning_files(wildcards),
        *predictions,
    ]
