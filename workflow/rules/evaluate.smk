"""Evaluation of every checkpoint: reads data/pretrain/<step>, writes data/evaluate/<step>."""


rule evaluate:
    """Bits per byte on held-out documents, by domain.
    Reads data/pretrain/{instance}, data/tokenizer, data/decontaminate; writes data/evaluate/{instance}.
    """
    input:
        stamp=".regrow/stamps/evaluate",
        checkpoint="records/pretrain.{instance}.json",
        tokenizer="records/tokenizer.json",
        decontaminate="records/decontaminate.json",
    output:
        record="records/evaluate.{instance}.json",
        results="data/evaluate/{instance}/results.json",
    log:
        "logs/evaluate.{instance}.log",
    benchmark:
        "benchmarks/out/evaluate.{instance}.tsv"
    conda:
        "../envs/regrow.yaml"
    threads: 1
    params:
        file=PARAMS,
    shell:
        "regrow run evaluate --instance {wildcards.instance} --params {params.file} --log {log}"
