"""Filters: reads data/text, writes data/filter."""


rule filter:
    """Language and quality filters. Reads data/text (under a takedown, data/withdraw); writes data/filter."""
    input:
        stamp=".regrow/stamps/filter",
        text=FLOW.reads("filter", "text"),
    output:
        "records/filter.json",
    log:
        "logs/filter.log",
    benchmark:
        "benchmarks/out/filter.tsv"
    conda:
        "../envs/regrow.yaml"
    threads: 1
    params:
        file=PARAMS,
    shell:
        "regrow run filter --params {params.file} --log {log}"
