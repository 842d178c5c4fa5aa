"""Sources and crawl: reads sources/, writes data/crawl."""


rule crawl:
    """The polite crawl. Reads sources/; writes data/crawl (WARC files, fetches.parquet)."""
    input:
        stamp=".regrow/stamps/crawl",
    output:
        "records/crawl.json",
    log:
        "logs/crawl.log",
    benchmark:
        "benchmarks/out/crawl.tsv"
    conda:
        "../envs/regrow.yaml"
    threads: 1
    params:
        file=PARAMS,
    shell:
        "regrow run crawl --params {params.file} --log {log}"
