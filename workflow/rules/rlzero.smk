"""RL-Zero: reads the long-context base, writes data/difficulty_zero, data/rlzero, data/rlzero_random."""


rule difficulty_zero:
    """Prompts by pass rate of the base model, in the plain form.
    Reads data/longcontext/<last>, data/tasks, data/tokenizer; writes data/difficulty_zero.
    """
    input:
        stamp=".regrow/stamps/difficulty_zero",
        policy=FLOW.last("longcontext"),
        tasks="records/tasks.json",
        tokenizer="records/tokenizer.json",
    output:
        "records/difficulty_zero.json",
    log:
        "logs/difficulty_zero.log",
    benchmark:
        "benchmarks/out/difficulty_zero.tsv"
    conda:
        "../envs/regrow.yaml"
    threads: 1
    params:
        file=PARAMS,
    shell:
        "regrow run difficulty_zero --params {params.file} --log {log}"


rule rlzero:
    """GRPO from the base model.
    Reads data/difficulty_zero, data/tokenizer, data/longcontext/<last> and data/rlzero/<previous>; writes data/rlzero/{instance}.
    """
    input:
        stamp=".regrow/stamps/rlzero",
        data="records/difficulty_zero.json",
        tokenizer="records/tokenizer.json",
        base=FLOW.last("longcontext"),
        previous=lambda wildcards: FLOW.previous("rlzero", wildcards.instance),
    output:
        "records/rlzero.{instance}.json",
    log:
        "logs/rlzero.{instance}.log",
    benchmark:
        "benchmarks/out/rlzero.{instance}.tsv"
    priority: 5
    conda:
        "../envs/regrow.yaml"
    threads: 1
    params:
        file=PARAMS,
    shell:
        "regrow run rlzero --instance {wildcards.instance} --params {params.file} --log {log}"


rule rlzero_random:
    """The control: the same with random rewards, which must not help.
    Reads data/difficulty_zero, data/tokenizer, data/longcontext/<last> and data/rlzero_random/<previous>;
    writes data/rlzero_random/{instance}."""
    input:
        stamp=".regrow/stamps/rlzero_random",
        data="records/difficulty_zero.json",
        tokenizer="records/tokenizer.json",
        base=FLOW.last("longcontext"),
        previous=lambda wildcards: FLOW.previous("rlzero_random", wildcards.instance),
    output:
        "records/rlzero_random.{instance}.json",
    log:
        "logs/rlzero_random.{instance}.log",
    benchmark:
        "benchmarks/out/rlzero_random.{instance}.tsv"
    conda:
        "../envs/regrow.yaml"
    threads: 1
    params:
        file=PARAMS,
    shell:
        "regrow run rlzero_random --instance {wildcards.instance} --params {params.file} --log {log}"
