"""Release of every checkpoint: reads data/pretrain/<step> and the records, writes data/release/<step>."""


rule release:
    """The checkpoint in Hugging Face format, with model card and data card.
    Reads data/pretrain/{instance}, data/tokenizer, data/evaluate/{instance}, data/decontaminate,
    data/mix, sources/manifest.yaml and the records of the data steps; writes data/release/{instance}.
    """
    input:
        stamp=".regrow/stamps/release",
        checkpoint="records/pretrain.{instance}.json",
        evaluate="records/evaluate.{instance}.json",
        data=[
            "records/crawl.json",
            "records/text.json",
            "records/filter.json",
            "records/dedup.json",
            "records/decontaminate.json",
            "records/mix.json",
            "records/classify.json",
            "records/tokenizer.json",
            "records/pack.json",
        ],
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
