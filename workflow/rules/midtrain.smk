"""Midtraining: reads the last pretraining checkpoint, writes data/midmix, data/anneal, data/midtrain, data/midtrain_b, data/soup."""


rule midmix:
    """High-quality documents, questions, retrieval, carry-over: packed.
    Reads data/decontaminate, data/classify, data/mix, data/tokenizer, data/tasks, evals; writes data/midmix.
    """
    input:
        stamp=".regrow/stamps/midmix",
        decontaminate="records/decontaminate.json",
        classify="records/classify.json",
        mix="records/mix.json",
        tokenizer="records/tokenizer.json",
        tasks="records/tasks.json",
    output:
        "records/midmix.json",
    log:
        "logs/midmix.log",
    benchmark:
        "benchmarks/out/midmix.tsv"
    priority: 10
    conda:
        "../envs/regrow.yaml"
    threads: 1
    params:
        file=PARAMS,
    shell:
        "regrow run midmix --params {params.file} --log {log}"


rule forkmix:
    """Of a fork only: its own documents beside the parent's mix, packed.
    Reads forks/{instance}/documents.parquet, data/midmix, data/tokenizer, data/tasks, data/decontaminate, evals; writes data/forkmix/{instance}.
    """
    input:
        stamp=".regrow/stamps/forkmix",
        records=lambda wildcards: FLOW.needs("forkmix", wildcards.instance),
    output:
        "records/forkmix.{instance}.json",
    log:
        "logs/forkmix.{instance}.log",
    benchmark:
        "benchmarks/out/forkmix.{instance}.tsv"
    priority: 10
    conda:
        "../envs/regrow.yaml"
    threads: 1
    params:
        file=PARAMS,
    shell:
        "regrow run forkmix --instance {wildcards.instance} --params {params.file} --log {log}"


rule midmix_masked:
    """Of a takedown only: midtraining's mix without the text of its documents, every slot kept.
    Reads takedowns/{instance}/documents.json, data/midmix (of a fork data/forkmix); writes data/midmix_masked/{instance}.
    """
    input:
        stamp=".regrow/stamps/midmix_masked",
        records=lambda wildcards: FLOW.needs("midmix_masked", wildcards.instance),
    output:
        "records/midmix_masked.{instance}.json",
    log:
        "logs/midmix_masked.{instance}.log",
    benchmark:
        "benchmarks/out/midmix_masked.{instance}.tsv"
    conda:
        "../envs/regrow.yaml"
    threads: 1
    params:
        file=PARAMS,
    shell:
        "regrow run midmix_masked --instance {wildcards.instance} --params {params.file} --log {log}"


rule anneal:
    """Micro-anneals: what each candidate dataset is worth under a fixed budget.
    Reads data/midmix, data/pretrain/<last>; writes data/anneal."""
    input:
        stamp=".regrow/stamps/anneal",
        midmix=FLOW.reads("anneal", "midmix"),
        base=FLOW.last("pretrain"),
    output:
        record="records/anneal.json",
        results="data/anneal/results.json",
    log:
        "logs/anneal.log",
    benchmark:
        "benchmarks/out/anneal.tsv"
    conda:
        "../envs/regrow.yaml"
    threads: 1
    params:
        file=PARAMS,
    shell:
        "regrow run anneal --params {params.file} --log {log}"


rule midtrain:
    """One segment of midtraining, up to the checkpoint {instance}.
    Reads data/midmix, data/pretrain/<last> and data/midtrain/<previous>; writes data/midtrain/{instance}.
    """
    input:
        stamp=".regrow/stamps/midtrain",
        records=lambda wildcards: FLOW.needs("midtrain", wildcards.instance),
    output:
        "records/midtrain.{instance}.json",
    log:
        "logs/midtrain.{instance}.log",
    benchmark:
        "benchmarks/out/midtrain.{instance}.tsv"
    priority: 10
    conda:
        "../envs/regrow.yaml"
    threads: 1
    params:
        file=PARAMS,
    shell:
        "regrow run midtrain --instance {wildcards.instance} --params {params.file} --log {log}"


rule midtrain_b:
    """Midtraining again in another data order, for the soup.
    Reads data/midmix, data/pretrain/<last> and data/midtrain_b/<previous>, or in a fork data/midtrain/<taken>; writes data/midtrain_b/{instance}.
    """
    input:
        stamp=".regrow/stamps/midtrain_b",
        records=lambda wildcards: FLOW.needs("midtrain_b", wildcards.instance),
    output:
        "records/midtrain_b.{instance}.json",
    log:
        "logs/midtrain_b.{instance}.log",
    benchmark:
        "benchmarks/out/midtrain_b.{instance}.tsv"
    priority: 10
    conda:
        "../envs/regrow.yaml"
    threads: 1
    params:
        file=PARAMS,
    shell:
        "regrow run midtrain_b --instance {wildcards.instance} --params {params.file} --log {log}"


rule soup:
    """The mean of both runs, kept only if it wins on held-out data.
    Reads data/midtrain/<last>, data/midtrain_b/<last>, data/midmix; writes data/soup/{instance}.
    """
    input:
        stamp=".regrow/stamps/soup",
        records=lambda wildcards: FLOW.needs("soup", wildcards.instance),
    output:
        "records/soup.{instance}.json",
    log:
        "logs/soup.{instance}.log",
    benchmark:
        "benchmarks/out/soup.{instance}.tsv"
    priority: 10
    conda:
        "../envs/regrow.yaml"
    threads: 1
    params:
        file=PARAMS,
    shell:
        "regrow run soup --instance {wildcards.instance} --params {params.file} --log {log}"
