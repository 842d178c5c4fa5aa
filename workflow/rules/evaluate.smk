"""Evaluation of every checkpoint: reads data/<stage>/<step>, writes data/evaluate/<stage>-<step>."""


rule evaluate:
    """Bits per byte, tasks, long context and preferences, as far as the stage has them.
    Reads data/<stage>/<step> of the stage that {instance} names, data/tokenizer, data/decontaminate,
    data/tasks; for some stages data/longmix, data/pairs; writes data/evaluate/{instance}.
    """
    input:
        stamp=".regrow/stamps/evaluate",
        records=lambda wildcards: FLOW.needs("evaluate", wildcards.instance),
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
