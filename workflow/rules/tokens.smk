"""Tokenizer and packing: reads data/decontaminate, data/mix and data/tasks, writes data/tokenizer and data/pack."""


rule tokenizer:
    """Byte-level BPE. Reads data/tasks, data/decontaminate and data/mix; writes data/tokenizer."""
    input:
        stamp=".regrow/stamps/tokenizer",
        decontaminate="records/decontaminate.json",
        mix="records/mix.json",
        tasks="records/tasks.json",
    output:
        "records/tokenizer.json",
    log:
        "logs/tokenizer.log",
    benchmark:
        "benchmarks/out/tokenizer.tsv"
    conda:
        "../envs/regrow.yaml"
    threads: 1
    params:
        file=PARAMS,
    shell:
        "regrow run tokenizer --params {params.file} --log {log}"


rule pack:
    """Tokens to sequences. Reads data/decontaminate, data/mix, data/tokenizer; writes data/pack."""
    input:
        stamp=".regrow/stamps/pack",
        decontaminate="records/decontaminate.json",
        mix="records/mix.json",
        tokenizer="records/tokenizer.json",
    output:
        "records/pack.json",
    log:
        "logs/pack.log",
    benchmark:
        "benchmarks/out/pack.tsv"
    conda:
        "../envs/regrow.yaml"
    threads: 1
    params:
        file=PARAMS,
    shell:
        "regrow run pack --params {params.file} --log {log}"


rule pack_masked:
    """Of a takedown only: the pack without the text of its documents, every slot kept.
    Reads takedowns/{instance}/documents.json, data/pack; writes data/pack_masked/{instance}.
    """
    input:
        stamp=".regrow/stamps/pack_masked",
        records=lambda wildcards: FLOW.needs("pack_masked", wildcards.instance),
    output:
        "records/pack_masked.{instance}.json",
    log:
        "logs/pack_masked.{instance}.log",
    benchmark:
        "benchmarks/out/pack_masked.{instance}.tsv"
    conda:
        "../envs/regrow.yaml"
    threads: 1
    params:
        file=PARAMS,
    shell:
        "regrow run pack_masked --instance {wildcards.instance} --params {params.file} --log {log}"
