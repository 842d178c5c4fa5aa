"""Classifiers and mix: reads data/decontaminate, writes data/classify and data/mix."""


rule classify:
    """Topic and quality of each document. Reads data/decontaminate; writes data/classify."""
    input:
        stamp=".regrow/stamps/classify",
        decontaminate="records/decontaminate.json",
    output:
        "records/classify.json",
    log:
        "logs/classify.log",
    benchmark:
        "benchmarks/out/classify.tsv"
    conda:
        "../envs/regrow.yaml"
    threads: 1
    params:
        file=PARAMS,
    shell:
        "regrow run classify --params {params.file} --log {log}"


rule mix:
    """Quality-aware repetition. Reads data/decontaminate and data/classify; writes data/mix."""
    input:
        stamp=".regrow/stamps/mix",
        decontaminate="records/decontaminate.json",
        classify="records/classify.json",
    output:
        "records/mix.json",
    log:
        "logs/mix.log",
    benchmark:
        "benchmarks/out/mix.tsv"
    conda:
        "../envs/regrow.yaml"
    threads: 1
    params:
        file=PARAMS,
    shell:
        "regrow run mix --params {params.file} --log {log}"
