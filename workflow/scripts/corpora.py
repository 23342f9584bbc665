from pathlib import Path

from emonas.corpora.job import write_corpus
from emonas.jobs import logged_job
from emonas.kinds import kind_options

with logged_job(Path(snakemake.log[0])):
    write_corpus(
        snakemake.wildcards.corpus,
        kind_options("reader", snakemake.params.job["options"]),
        Path(snakemake.output.manifest),
        Path(snakemake.output.problems),
    )
