"""The index for `regrow explain`: reads what training reads, writes data/index."""


rule index:
    """The suffix array of the tokens of one training data set.
    Reads data/<stage>: pack, midmix (of a fork forkmix), longmix, sftdata or pairs; writes data/index/{instance}.
    """
    input:
        stamp=".regrow/stamps/index",
        data=lambda wildcards: FLOW.needs("index", wildcards.instance),
    output:
        record="records/index.{instance}.json",
        meta="data/index/{instance}/meta.json",
    log:
        "logs/index.{instance}.log",
    benchmark:
        "benchmarks/out/index.{instance}.tsv"
    conda:
        "../envs/regrow.yaml"
    threads: 1
    params:
        file=PARAMS,
    shell:
        "regrow run index --instance {wildcards.instance} --params {params.file} --log {log}"
