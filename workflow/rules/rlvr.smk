"""Reinforcement learning on verified rewards: reads the DPO model, writes data/difficulty, data/rlvr."""


rule difficulty:
    """Prompts by pass rate; those that the model always solves go.
    Reads data/dpo/<last>, data/tasks, data/tokenizer; writes data/difficulty."""
    input:
        stamp=".regrow/stamps/difficulty",
        policy=FLOW.last("dpo"),
        tasks="records/tasks.json",
        tokenizer="records/tokenizer.json",
    output:
        "records/difficulty.json",
    log:
        "logs/difficulty.log",
    benchmark:
        "benchmarks/out/difficulty.tsv"
    priority: 10
    conda:
        "../envs/regrow.yaml"
    threads: 1
    params:
        file=PARAMS,
    shell:
        "regrow run difficulty --params {params.file} --log {log}"


rule rlvr:
    """GRPO on verified rewards, with every rollout kept.
    Reads data/difficulty, data/tokenizer, data/dpo/<last> and data/rlvr/<previous>; writes data/rlvr/{instance}.
    """
    input:
        stamp=".regrow/stamps/rlvr",
        data="records/difficulty.json",
        tokenizer="records/tokenizer.json",
        base=FLOW.last("dpo"),
        previous=lambda wildcards: FLOW.previous("rlvr", wildcards.instance),
    output:
        "records/rlvr.{instance}.json",
    log:
        "logs/rlvr.{instance}.log",
    benchmark:
        "benchmarks/out/rlvr.{instance}.tsv"
    priority: 10
    conda:
        "../envs/regrow.yaml"
    threads: 1
    params:
        file=PARAMS,
    shell:
        "regrow run rlvr --instance {wildcards.instance} --params {params.file} --log {log}"
