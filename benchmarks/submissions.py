"""How many submissions a full run of a paper is under SLURM, with and without groups.

    python benchmarks/submissions.py          # EmotionNAS v2 on IEMOCAP: 10 folds, 5 seeds
    python benchmarks/submissions.py --small  # one seed

No SLURM is needed and nothing is computed: Snakemake runs with the profile, and where its plugin
would call sbatch the files that a job leaves are made, empty. The manifest alone has IEMOCAP's
size, and the folds come from it.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from dry_run import CHECKOUT, output_of, settings_in, utterances, write_settings

from emonas.storage.manifest import write_manifest

COUNTS = "submissions.json"


def main() -> None:
    """Count, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="one seed")
    seeds = 1 if parser.parse_args().small else 5
    grouped, single = submitted(seeds, grouped=True), submitted(seeds, grouped=False)
    print("| rule | submissions | with groups |\n| :--- | ---: | ---: |")
    for rule in sorted(single, key=lambda rule: -single[rule]):
        print(f"| {rule} | {single[rule]} | {grouped[rule]} |")
    print(f"| all | {single.total()} | {grouped.total()} |")


def submitted(seeds: int, *, grouped: bool) -> Counter[str]:
    """Submissions by rule."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_settings(folder, seeds)
        profile = write_profile(folder, grouped=grouped)
        arguments = [*settings_in(folder), "--profile", str(profile)]
        output_of([sys.executable, __file__, "--pretend", *arguments], folder)
        return Counter(json.loads((folder / COUNTS).read_text(encoding="utf-8")))


def write_profile(folder: Path, *, grouped: bool) -> Path:
    """The profile as it comes, or without its groups."""
    text = (CHECKOUT / "workflow/profiles/slurm/config.yaml").read_text(encoding="utf-8")
    if not grouped:
        text = re.sub(r"^group-components:\n(  - .*\n)+", "", text, flags=re.MULTILINE)
    (folder / "profile").mkdir()
    (folder / "profile/config.yaml").write_text(text, encoding="utf-8")
    return folder / "profile"


def pretend(arguments: list[str]) -> None:
    """Run Snakemake in this process; a submission makes its jobs' files, and is counted."""
    import snakemake_executor_plugin_slurm as plugin
    from snakemake import cli

    counts: Counter[str] = Counter()

    def run_jobs(self: Any, jobs: list[Any]) -> None:
        for job in jobs:
            members = (
                [one for level in job.toposorted for one in level] if job.is_group() else [job]
            )
            counts[members[0].rule.name] += 1
            for member in members:
                leave_outputs(member)
            done = plugin.SubmittedJobInfo(job, external_jobid=str(counts.total()))
            self.report_job_submission(done, register_job=False)
            with self.lock:
                self.active_jobs.remove(done)
            self.report_job_success(done)
        Path(COUNTS).write_text(json.dumps(counts), encoding="utf-8")

    plugin.Executor.run_jobs = run_jobs
    cli.main(arguments)


def leave_outputs(job: Any) -> None:
    """What later jobs depend on: a manifest of the corpus's size, the folds, and empty files."""
    from emonas.protocols.job import write_index
    from emonas.protocols.options import ProtocolOptions

    for path in map(Path, job.output):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    if job.rule.name == "corpora":
        write_manifest(Path(job.output.manifest), utterances())
    elif job.rule.name == "protocols":
        options = ProtocolOptions.model_validate(job.params.job["options"])
        manifests = {Path(path).parent.name: Path(path) for path in job.input.manifests}
        write_index(job.wildcards.protocol, options, manifests, Path(job.output.index))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--pretend"]:
        pretend(sys.argv[2:])
    else:
        main()
