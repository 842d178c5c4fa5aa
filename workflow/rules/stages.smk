"""A target for each step that has instances: `snakemake pretrain_all` makes all checkpoints of pretraining.

Reads and writes what the step's own rule does. `dvc repro` calls these targets.
"""

for name, files in FLOW.stages.items():

    rule:
        name:
            name
        input:
            files,
