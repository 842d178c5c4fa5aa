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
