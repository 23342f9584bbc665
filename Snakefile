"""emonas: architecture search for speech emotion recognition, from a corpus to a report."""

from snakemake.utils import min_version

min_version("9.0")

# Nothing of the demo leaks into another settings file: config.yaml is read where none is given.
if not workflow.configfiles:

    configfile: "config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/resources.smk"
include: "workflow/rules/hooks.smk"
include: "workflow/rules/corpora.smk"
include: "workflow/rules/protocols.smk"
include: "workflow/rules/checkpoints.smk"
include: "workflow/rules/transcripts.smk"
include: "workflow/rules/features.smk"
include: "workflow/rules/search.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/fuse.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/results.smk"


rule all:
    default_target: True
    input:
        # All of it, not the page alone: that of another settings file may stand in its place.
        rules.report.output,
        kept_weights(),
        results_without_folds(),
        results_of_folds,


# Before the nodes of a cluster, which may have no connection: only the weights that have to be fetched.
rule fetch:
    input:
        [f"results/checkpoints/{checkpoint}.json" for checkpoint in PLAN.needed_checkpoints()],
