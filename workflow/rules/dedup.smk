"""Deduplication and decontamination: reads data/filter and evals/, writes data/dedup and
data/decontaminate."""


rule dedup:
    """Exact and MinHash-LSH deduplication. Reads data/filter; writes data/dedup."""
    input:
        stamp=".regrow/stamps/dedup",
        filter="records/filter.json",
    output:
        "records/dedup.json",
    log:
        "logs/dedup.log",
    benchmark:
        "benchmarks/out/dedup.tsv"
    conda:
        "../envs/regrow.yaml"
    threads: 1
    params:
        file=PARAMS,
    shell:
        "regrow run dedup --params {params.file} --log {log}"


rule decontaminate:
    """Hold-out set, and removal of what overlaps with it, the evals or the tasks of dev and test.
    Reads data/dedup, data/tasks and evals/; writes data/decontaminate."""
    input:
        stamp=".regrow/stamps/decontaminate",
        dedup="records/dedup.json",
        tasks="records/tasks.json",
    output:
        "records/decontaminate.json",
    log:
        "logs/decontaminate.log",
    benchmark:
        "benchmarks/out/decontaminate.tsv"
    conda:
        "../envs/regrow.yaml"
    threads: 1
    params:
        file=PARAMS,
    shell:
        "regrow run decontaminate --params {params.file} --log {log}"
