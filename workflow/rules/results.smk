"""What is asked of checkpoints and data: indexes, evaluations, releases.

Reads data/<stage>/<step>; writes data/index/<data set>, data/evaluate/<stage>-<step>, data/release/<stage>-<step>. Each step says in src/regrow/recipe/table.py what it reads,
under which params, and what it is for; `snakemake --list` shows it.
"""

for step in FLOW.rules("results"):

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
