"""Preference optimisation: reads the SFT model, writes data/pairs, data/dpo_delta, data/dpo."""


rule pairs:
    """Judged pairs of the model's own samples, and delta-learning pairs.
    Reads data/sft/<last>, data/sft/<first>, data/tasks, data/tokenizer; writes data/pairs.
    """
    input:
        stamp=".regrow/stamps/pairs",
        strong=FLOW.last("sft"),
        weak=FLOW.first("sft"),
        tasks="records/tasks.json",
        tokenizer="records/tokenizer.json",
    output:
        "records/pairs.json",
    log:
        "logs/pairs.log",
    benchmark:
        "benchmarks/out/pairs.tsv"
    priority: 10
    conda:
        "../envs/regrow.yaml"
    threads: 1
    params:
        file=PARAMS,
    shell:
        "regrow run pairs --params {params.file} --log {log}"


rule dpo_delta:
    """DPO on the delta-learning pairs: reported as its own row.
    Reads data/pairs, data/sft/<last> and data/dpo_delta/<previous>; writes data/dpo_delta/{instance}.
    """
    input:
        stamp=".regrow/stamps/dpo_delta",
        data="records/pairs.json",
        base=FLOW.last("sft"),
        previous=lambda wildcards: FLOW.previous("dpo_delta", wildcards.instance),
    output:
        "records/dpo_delta.{instance}.json",
    log:
        "logs/dpo_delta.{instance}.log",
    benchmark:
        "benchmarks/out/dpo_delta.{instance}.tsv"
    conda:
        "../envs/regrow.yaml"
    threads: 1
    params:
        file=PARAMS,
    shell:
        "regrow run dpo_delta --instance {wildcards.instance} --params {params.file} --log {log}"


rule dpo:
    """DPO on the judged on-policy pairs.
    Reads data/pairs, data/sft/<last> and data/dpo/<previous>; writes data/dpo/{instance}.
    """
    input:
        stamp=".regrow/stamps/dpo",
        data="records/pairs.json",
        base=FLOW.last("sft"),
        previous=lambda wildcards: FLOW.previous("dpo", wildcards.instance),
    output:
        "records/dpo.{instance}.json",
    log:
        "logs/dpo.{instance}.log",
    benchmark:
        "benchmarks/out/dpo.{instance}.tsv"
    priority: 10
    conda:
        "../envs/regrow.yaml"
    threads: 1
    params:
        file=PARAMS,
    shell:
        "regrow run dpo --instance {wildcards.instance} --params {params.file} --log {log}"
