"""Release of every checkpoint: reads data/<stage>/<step> and the records, writes data/release/<stage>-<step>."""


rule release:
    """The checkpoint in Hugging Face format, with model card and data card.
    Reads data/<stage>/<step> of the stage that {instance} names, data/tokenizer, data/evaluate/{instance},
    data/decontaminate, data/mix, sources/manifest.yaml and the records of the data steps,
    in a fork data/forkmix and data/forksft too;
    writes data/release/{instance}."""
    input:
        stamp=".regrow/stamps/release",
        records=lambda wildcards: FLOW.needs("release", wildcards.instance),
    output:
        record="records/release.{instance}.json",
        model="data/release/{instance}/model.safetensors",
        readme="data/release/{instance}/README.md",
    log:
        "logs/release.{instance}.log",
    benchmark:
        "benchmarks/out/release.{instance}.tsv"
    conda:
        "../envs/regrow.yaml"
    threads: 1
    params:
        file=PARAMS,
    shell:
        "regrow run release --instance {wildcards.instance} --params {params.file} --log {log}"
