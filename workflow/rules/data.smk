"""From the sources to packed tokens.

Reads sources/, evals/; writes data/crawl, data/text, data/filter, data/tasks, data/dedup, data/decontaminate, data/classify, data/mix, data/tokenizer, data/pack. Each step says in src/regrow/recipe/table.py what it reads,
under which params, and what it is for; `snakemake --list` shows it.
"""

for step in FLOW.rules("data"):

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
