"""Supervised fine-tuning: reads the long-context base, writes data/sftdata, data/sft, data/sft_instruct."""


rule sftdata:
    """Examples of the Think and the Instruct branch, filtered, each with its teacher.
    Reads data/tokenizer, data/tasks, evals, sources/teacher; writes data/sftdata."""
    input:
        stamp=".regrow/stamps/sftdata",
        tokenizer="records/tokenizer.json",
        tasks="records/tasks.json",
    output:
        "records/sftdata.json",
    log:
        "logs/sftdata.log",
    benchmark:
        "benchmarks/out/sftdata.tsv"
    priority: 10
    conda:
        "../envs/regrow.yaml"
    threads: 1
    params:
        file=PARAMS,
    shell:
        "regrow run sftdata --params {params.file} --log {log}"


rule forksft:
    """Of a fork only: its own conversations beside the parent's examples.
    Reads forks/{instance}/chats.parquet, data/sftdata, data/tokenizer, data/tasks, evals; writes data/forksft/{instance}.
    """
    input:
        stamp=".regrow/stamps/forksft",
        records=lambda wildcards: FLOW.needs("forksft", wildcards.instance),
    output:
        "records/forksft.{instance}.json",
    log:
        "logs/forksft.{instance}.log",
    benchmark:
        "benchmarks/out/forksft.{instance}.tsv"
    priority: 10
    conda:
        "../envs/regrow.yaml"
    threads: 1
    params:
        file=PARAMS,
    shell:
        "regrow run forksft --instance {wildcards.instance} --params {params.file} --log {log}"


rule sft:
    """Supervised fine-tuning of the Think branch.
    Reads data/sftdata, data/longcontext/<last> and data/sft/<previous>; writes data/sft/{instance}.
    """
    input:
        stamp=".regrow/stamps/sft",
        data=FLOW.instead("sftdata", "forksft"),
        base=FLOW.last("longcontext"),
        previous=lambda wildcards: FLOW.previous("sft", wildcards.instance),
    output:
        "records/sft.{instance}.json",
    log:
        "logs/sft.{instance}.log",
    benchmark:
        "benchmarks/out/sft.{instance}.tsv"
    priority: 10
    conda:
        "../envs/regrow.yaml"
    threads: 1
    params:
        file=PARAMS,
    shell:
        "regrow run sft --instance {wildcards.instance} --params {params.file} --log {log}"


rule sft_instruct:
    """Supervised fine-tuning of the Instruct branch: short answers, tool calls.
    Reads data/sftdata, data/sft/<last> and data/sft_instruct/<previous>; writes data/sft_instruct/{instance}.
    """
    input:
        stamp=".regrow/stamps/sft_instruct",
        data=FLOW.instead("sftdata", "forksft"),
        base=FLOW.last("sft"),
        previous=lambda wildcards: FLOW.previous("sft_instruct", wildcards.instance),
    output:
        "records/sft_instruct.{instance}.json",
    log:
        "logs/sft_instruct.{instance}.log",
    benchmark:
        "benchmarks/out/sft_instruct.{instance}.tsv"
    conda:
        "../envs/regrow.yaml"
    threads: 1
    params:
        file=PARAMS,
    shell:
        "regrow run sft_instruct --instance {wildcards.instance} --params {params.file} --log {log}"
