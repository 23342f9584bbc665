from pathlib import Path

from emonas.cards import own_card
from emonas.jobs import logged_job
from emonas.kinds import kind_options
from emonas.learning.job import resume_root
from emonas.learning.options import RuntimeOptions
from emonas.search.job import SearchFiles, SearchJob, SearchOutputs, search_architecture
from emonas.systems.material import feature_paths

wildcards, params = snakemake.wildcards, snakemake.params.job
given = {name: Path(path) for name, path in snakemake.input.items() if isinstance(path, str)}

with logged_job(Path(snakemake.log[0])), own_card(snakemake.resources.gpu):
    search_architecture(
        SearchJob(
            name=f"{wildcards.protocol}/{wildcards.system}/seed{wildcards.seed}/{wildcards.fold}",
            system=kind_options("network", params["system"]),
            search=kind_options("method", params["search"]),
            budget=given.get("budget"),
            seed=int(wildcards.seed),
            # A method that draws by chance is given none.
            files=SearchFiles(
                features=feature_paths(snakemake.params.features),
                train=given["train"],
                validation=given["validation"],
            )
            if "train" in given
            else None,
            runtime=RuntimeOptions.model_validate(params["runtime"]),
            resume=resume_root(snakemake.config),
            code=params["code"],
        ),
        SearchOutputs(
            genotype=Path(snakemake.output.genotype),
            history=Path(snakemake.output.history),
            costs=Path(snakemake.output.costs),
            weights=Path(snakemake.output.weights),
        ),
    )
