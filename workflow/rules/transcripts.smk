wildcard_constraints:
    transcript=r"[A-Za-z0-9_.-]+",


rule transcripts:
    input:
        manifest="results/corpora/{corpus}/manifest.csv",
        checkpoint=lambda wildcards: PLAN.pretrained.record_of(
            PLAN.settings.transcripts[wildcards.transcript]
        ),
    output:
        transcript="results/features/{corpus}/{transcript}.csv",
    log:
        "results/logs/transcripts/{corpus}/{transcript}.log",
    params:
        job=lambda wildcards: PLAN.transcript_params(wildcards.transcript),
    threads: PLAN.settings.runtime.torch_threads
    resources:
        mem_mb=megabytes("transcripts"),
        runtime=minutes("transcripts"),
        gpu=cards("transcripts"),
    conda:
        "../../envs/emonas.yaml"
    script:
        "../scripts/transcripts.py"


rule recognition:
    input:
        manifest="results/corpora/{corpus}/manifest.csv",
        transcript="results/features/{corpus}/{transcript}.csv",
    output:
        recognition="results/recognition/{corpus}/{transcript}.json",
    log:
        "results/logs/recognition/{corpus}/{transcript}.log",
    params:
        job=PLAN.recognition_params(),
    resources:
        mem_mb=megabytes("recognition"),
        runtime=minutes("recognition"),
    conda:
        "../../envs/emonas.yaml"
    script:
        "../scripts/recognition.py"
