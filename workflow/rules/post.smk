"""Post-training: SFT (Think, Instruct), DPO, RLVR, RL-Zero, each with its data and its control.

Reads data/longcontext, data/tasks, sources/teacher; writes data/sft_data, data/pairs, data/difficulty, and for each checkpoint data/<stage>/<step>. Each step says in src/regrow/recipe/table.py what it reads,
under which params, and what it is for; `snakemake --list` shows it.
"""

for step in FLOW.rules("post"):

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
