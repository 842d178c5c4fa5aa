"""Procedural tasks with verified answers: reads nothing, writes data/tasks."""


rule tasks:
    """Questions, worked answers and verifiers, split by content.
    Reads nothing; writes data/tasks."""
    input:
        stamp=".regrow/stamps/tasks",
    output:
        "records/tasks.json",
    log:
        "logs/tasks.log",
    benchmark:
        "benchmarks/out/tasks.tsv"
    conda:
        "../envs/regrow.yaml"
    threads: 1
    params:
        file=PARAMS,
    shell:
        "regrow run tasks --params {params.file} --log {log}"
