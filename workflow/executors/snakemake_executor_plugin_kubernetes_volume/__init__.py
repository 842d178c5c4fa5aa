"""Snakemake's Kubernetes executor for pods that share a volume (`--executor kubernetes-volume`).

snakemake-executor-plugin-kubernetes mounts persistent volumes, but declares that there is no shared
file system. Snakemake takes that as final, whatever `--shared-fs-usage` says: it refuses to start without
a storage provider, through which it would copy every declared file, and data are not declared here (docs/concepts/flow.md).
Its pods start in an empty folder besides. Here all is that plugin's, except these two things: the volume counts
as shared, and a pod's command begins in the repository on it.
"""

import shlex
from dataclasses import replace

from snakemake_executor_plugin_kubernetes import Executor as _Executor
from snakemake_executor_plugin_kubernetes import ExecutorSettings
from snakemake_executor_plugin_kubernetes import common_settings as _declared

__all__ = ["Executor", "ExecutorSettings", "common_settings"]

common_settings = replace(
    _declared,
    implies_no_shared_fs=False,
    job_deploy_sources=False,
    auto_deploy_default_storage_provider=False,
)


class Executor(_Executor):
    """The plugin's, for pods that find the repository where it lies here."""

    def get_job_exec_prefix(self, job: object) -> str:
        """What a pod's shell does first."""
        return f"cd {shlex.quote(self.workflow.workdir_init)}"
