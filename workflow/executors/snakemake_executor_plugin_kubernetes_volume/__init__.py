"""Snakemake's Kubernetes executor for pods that share a volume (`--executor kubernetes-volume`).

snakemake-executor-plugin-kubernetes mounts persistent volumes, but declares that there is no shared
file system, which Snakemake takes as final whatever `--shared-fs-usage` says: it then asks for a
storage provider and copies every file through it. Here all is that plugin's, except this declaration.
"""

from dataclasses import replace

from snakemake_executor_plugin_kubernetes import Executor, ExecutorSettings
from snakemake_executor_plugin_kubernetes import common_settings as _declared

__all__ = ["Executor", "ExecutorSettings", "common_settings"]

common_settings = replace(
    _declared,
    implies_no_shared_fs=False,
    job_deploy_sources=False,
    auto_deploy_default_storage_provider=False,
)
