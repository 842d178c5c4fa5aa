"""Pretraining: reads data/pack, writes data/pretrain/<step>."""


rule pretrain:
    """One segment of pretraining, up to the checkpoint {instance}.
    Reads data/pack and data/pretrain/<previous>; writes data/pretrain/{instance}."""
    input:
        stamp=".regrow/stamps/pretrain",
        data=lambda wildcards: FLOW.reads("pretrain", "data", wildcards.instance),
        previous=lambda wildcards: FLOW.previous("pretrain", wildcards.instance),
    output:
        "records/pretrain.{instance}.json",
    log:
        "logs/pretrain.{instance}.log",
    benchmark:
        "benchmarks/out/pretrain.{instance}.tsv"
    # The longest chain of the flow goes first; evaluations, releases and controls run beside it.
    priority: 10
    conda:
        "../envs/regrow.yaml"
    threads: 1
    params:
        file=PARAMS,
    shell:
        "regrow run pretrain --instance {wildcards.instance} --params {params.file} --log {log}"
