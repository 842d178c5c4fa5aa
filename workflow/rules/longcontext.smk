"""Long context: reads the soup, writes data/longmix, data/longcontext_control, data/longcontext."""


rule longmix:
    """Long documents, aggregation and retrieval over them: best-fit packed.
    Reads data/decontaminate, data/mix, data/tokenizer, data/midmix, data/tasks, evals; writes data/longmix.
    """
    input:
        stamp=".regrow/stamps/longmix",
        decontaminate="records/decontaminate.json",
        mix="records/mix.json",
        tokenizer="records/tokenizer.json",
        midmix=FLOW.instead("midmix", "forkmix"),
        tasks="records/tasks.json",
    output:
        "records/longmix.json",
    log:
        "logs/longmix.log",
    benchmark:
        "benchmarks/out/longmix.tsv"
    priority: 10
    conda:
        "../envs/regrow.yaml"
    threads: 1
    params:
        file=PARAMS,
    shell:
        "regrow run longmix --params {params.file} --log {log}"


rule longmix_masked:
    """Of a takedown only: the long mix without the text of its documents, every slot kept.
    Reads takedowns/{instance}/documents.json, data/longmix; writes data/longmix_masked/{instance}.
    """
    input:
        stamp=".regrow/stamps/longmix_masked",
        records=lambda wildcards: FLOW.needs("longmix_masked", wildcards.instance),
    output:
        "records/longmix_masked.{instance}.json",
    log:
        "logs/longmix_masked.{instance}.log",
    benchmark:
        "benchmarks/out/longmix_masked.{instance}.tsv"
    conda:
        "../envs/regrow.yaml"
    threads: 1
    params:
        file=PARAMS,
    shell:
        "regrow run longmix_masked --instance {wildcards.instance} --params {params.file} --log {log}"


rule longcontext_control:
    """The same tokens at the short length: what is not due to the length.
    Reads data/longmix, data/soup/<last> and data/longcontext_control/<previous>; writes data/longcontext_control/{instance}.
    """
    input:
        stamp=".regrow/stamps/longcontext_control",
        data=lambda wildcards: FLOW.reads(
            "longcontext_control", "data", wildcards.instance
        ),
        base=FLOW.last("soup"),
        previous=lambda wildcards: FLOW.previous(
            "longcontext_control", wildcards.instance
        ),
    output:
        "records/longcontext_control.{instance}.json",
    log:
        "logs/longcontext_control.{instance}.log",
    benchmark:
        "benchmarks/out/longcontext_control.{instance}.tsv"
    conda:
        "../envs/regrow.yaml"
    threads: 1
    params:
        file=PARAMS,
    shell:
        "regrow run longcontext_control --instance {wildcards.instance} --params {params.file} --log {log}"


rule longcontext:
    """Four times the length, YaRN on the full-attention layers.
    Reads data/longmix, data/soup/<last> and data/longcontext/<previous>; writes data/longcontext/{instance}.
    """
    input:
        stamp=".regrow/stamps/longcontext",
        data=lambda wildcards: FLOW.reads("longcontext", "data", wildcards.instance),
        base=FLOW.last("soup"),
        previous=lambda wildcards: FLOW.previous("longcontext", wildcards.instance),
    output:
        "records/longcontext.{instance}.json",
    log:
        "logs/longcontext.{instance}.log",
    benchmark:
        "benchmarks/out/longcontext.{instance}.tsv"
    priority: 10
    conda:
        "../envs/regrow.yaml"
    threads: 1
    params:
        file=PARAMS,
    shell:
        "regrow run longcontext --instance {wildcards.instance} --params {params.file} --log {log}"
