"""The post-training chain under further seeds: `snakemake --cores all seeds`. The demo runs seed 0.

Reads what sft, pairs, dpo, difficulty, rlvr and evaluate read, writes data/<step>_seed<n>.
"""

from regrow.recipe.table import STEPS


localrules:
    seeds,


rule seeds:
    """SFT, DPO and RLVR under the other seeds, and their evaluations."""
    input:
        FLOW.seeds,


for step in STEPS:
    if step.group != "seeds":
        continue
    place = f"{step.name}.{{instance}}" if step.instances else step.name

    rule:
        name:
            step.name
        input:
            stamp=f".regrow/stamps/{step.name}",
            records=lambda wildcards, step=step.name: FLOW.needs(
                step, getattr(wildcards, "instance", None)
            ),
        output:
            record=f"records/{place}.json",
            leaves=[f"data/{place.replace('.', '/')}/{leaf}" for leaf in step.leaf],
        log:
            f"logs/{place}.log",
        benchmark:
            f"benchmarks/out/{place}.tsv"
        conda:
            "../envs/regrow.yaml"
        threads: 1
        params:
            file=PARAMS,
            job=step.name,
            instance=lambda wildcards: (
                f"--instance {wildcards.instance}"
                if hasattr(wildcards, "instance")
                else ""
            ),
        shell:
            "regrow run {params.job} {params.instance} --params {params.file} --log {log}"
