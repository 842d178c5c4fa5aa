"""From a crawl to a released checkpoint: `snakemake --cores all` builds what is not known yet.
Edges between rules are records (docs/concepts/flow.md); what a run makes is said in params/demo.yaml.
"""

import sys
from pathlib import Path
from snakemake.utils import min_version

min_version("9.27")

# The code that runs is this repository's, whatever else is installed.
sys.path.insert(0, str(Path(workflow.basedir) / "src"))

from regrow.engine.workflow import Flow

FLOW = Flow(workflow)
PARAMS = FLOW.params_file


wildcard_constraints:
    instance=r"[\w-]+",


localrules:
    all,


rule all:
    default_target: True
    input:
        FLOW.targets,


include: "workflow/rules/sources.smk"
include: "workflow/rules/text.smk"
include: "workflow/rules/filter.smk"
include: "workflow/rules/tasks.smk"
include: "workflow/rules/dedup.smk"
include: "workflow/rules/mix.smk"
include: "workflow/rules/tokens.smk"
include: "workflow/rules/pretrain.smk"
include: "workflow/rules/midtrain.smk"
include: "workflow/rules/longcontext.smk"
include: "workflow/rules/sft.smk"
include: "workflow/rules/dpo.smk"
include: "workflow/rules/rlvr.smk"
include: "workflow/rules/rlzero.smk"
include: "workflow/rules/index.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/release.smk"
include: "workflow/rules/seeds.smk"
include: "workflow/rules/stages.smk"


onstart:
    FLOW.start(workflow)


onsuccess:
    FLOW.finish(good=True)


onerror:
    FLOW.finish(good=False)
