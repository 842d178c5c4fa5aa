"""Text extraction: reads data/crawl, writes data/text."""


rule text:
    """HTML, PDF and plain text to documents. Reads data/crawl and sources/manifest.yaml; writes data/text."""
    input:
        stamp=".regrow/stamps/text",
        crawl="records/crawl.json",
    output:
        "records/text.json",
    log:
        "logs/text.log",
    benchmark:
        "benchmarks/out/text.tsv"
    conda:
        "../envs/regrow.yaml"
    threads: 1
    params:
        file=PARAMS,
    shell:
        "regrow run text --params {params.file} --log {log}"


rule withdraw:
    """Of a takedown only: the extracted documents without those that are taken down.
    Reads takedowns/{instance}/documents.json, data/text; writes data/withdraw/{instance}.
    """
    input:
        stamp=".regrow/stamps/withdraw",
        records=lambda wildcards: FLOW.needs("withdraw", wildcards.instance),
    output:
        "records/withdraw.{instance}.json",
    log:
        "logs/withdraw.{instance}.log",
    benchmark:
        "benchmarks/out/withdraw.{instance}.tsv"
    conda:
        "../envs/regrow.yaml"
    threads: 1
    params:
        file=PARAMS,
    shell:
        "regrow run withdraw --instance {wildcards.instance} --params {params.file} --log {log}"
