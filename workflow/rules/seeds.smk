"""The post-training chain under further seeds: `snakemake --cores all seeds`. The demo runs seed 0.

Reads what sft, pairs, dpo, difficulty, rlvr and evaluate read, writes data/<step>_seed<n>.
"""


localrules:
    seeds,


rule seeds:
    """SFT, DPO and RLVR under the other seeds, and their evaluations."""
    input:
        FLOW.seeds,


for step in FLOW.rules(group="seeds"):

    rule:
        name:
            step.name
        input:
            stamp=step.stamp,
            records=step.records,
        output:
            record=step.record,
            leaves=step.leaves,
        log:
            step.log,
        benchmark:
            step.benchmark
        conda:
            "../envs/regrow.yaml"
        threads: 1
        params:
            command=step.command,
        shell:
            "{params.command}"
