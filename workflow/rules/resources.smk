"""What the jobs of a rule ask for: memory, time and cards, and which of them are one submission."""

import os

from emonas.cards import OWN, may_have_cards
from emonas.settings.needs import Needs
from emonas.settings.partitions import KEPT, Partition, ask_partition

# Whether this machine has cards that its jobs may use.
GPUS = PLAN.settings.runtime.device != "cpu" and may_have_cards()


# With --resources gpu=N each of N jobs that learn takes a card of its own; jobs inherit the word.
if "gpu" in workflow.resource_settings.resources:
    os.environ[OWN] = "1"


def partition_of(rule):
    """What there is for the jobs of a rule: of this machine, or of their partition in SLURM."""
    if workflow.local_exec and KEPT not in os.environ:
        return Partition(cards=GPUS)
    settings = workflow.resource_settings
    for resources in (settings.overwrite_resources.get(rule), settings.default_resources):
        if resources and "slurm_partition" in resources:
            return ask_partition(str(resources["slurm_partition"].raw))
    return ask_partition("")


NEEDS = Needs(PLAN, partition_of)


def megabytes(rule):
    """The memory that jobs of a rule ask for, twice as much each time that one is tried again."""
    return lambda wildcards, attempt: NEEDS.need(rule, attempt, **wildcards).memory


def minutes(rule):
    """The time that jobs of a rule ask for, twice as much each time that one is tried again."""
    return lambda wildcards, attempt: NEEDS.need(rule, attempt, **wildcards).minutes


def cards(rule):
    """How many cards jobs of a rule ask for: one where it serves and where there are some."""
    return lambda wildcards: NEEDS.need(rule, **wildcards).cards


def group_of(rule, *names):
    """Small jobs of a rule that are alike in some wildcards are one submission, with a profile
    that has groups of the rule.

    Which jobs these are is settled once their protocol's folds are known: Snakemake loses a group
    that runs where another checkpoint lets others join.
    """

    def group(wildcards):
        grouped = rule in workflow.group_settings.group_components
        if not grouped or not NEEDS.is_brief(rule, **wildcards):
            return None
        # A sign that no name has: two groups never share an identifier.
        group_id = "+".join([rule, *(wildcards[name] for name in names)])
        workflow.parent_groupids[group_id] = rule
        return group_id

    return group
