"""The base model: pretraining, midtraining in two data orders and their mean, the extension of the context.

Reads data/pack and what it is made from; writes data/midtrain_data, data/longcontext_data, and for each checkpoint data/<stage>/<step>. Each step says in src/regrow/recipe/table.py what it reads,
under which params, and what it is for; `snakemake --list` shows it.
"""

for step in FLOW.rules("base"):

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
        priority: step.priority
        conda:
            "../envs/regrow.yaml"
        threads: 1
        params:
            command=step.command,
        shell:
            "{params.command}"
