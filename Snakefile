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


wildcard_constraints:
    instance=r"[\w-]+",


localrules:
    all,


rule all:
    default_target: True
    input:
        FLOW.targets,


include: "workflow/rules/data.smk"
include: "workflow/rules/base.smk"
include: "workflow/rules/post.smk"
include: "workflow/rules/results.smk"
include: "workflow/rules/seeds.smk"
include: "workflow/rules/stages.smk"


FLOW.describe(workflow)


onstart:
    FLOW.start(workflow)


onsuccess:
    FLOW.finish(good=True)


onerror:
    FLOW.finish(good=False)
