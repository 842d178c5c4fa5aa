"""What the suite costs: `pytest -p cpu_minutes` prints CPU seconds and wall seconds per module, and their sum.

Counted are the processes of pytest and all that they waited for. A fixture counts for the module that first asks.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

import command_server

_SPENT: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
"""module -> CPU seconds, wall seconds, tests"""


def _cpu() -> float:
    return sum(os.times()[:4]) + command_server.SPENT[0]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    before, start = _cpu(), time.monotonic()
    yield
    spent = _SPENT[item.nodeid.partition("::")[0]]
    spent[0] += _cpu() - before
    spent[1] += time.monotonic() - start
    spent[2] += 1


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["spent"] = {"all": _cpu(), "modules": dict(_SPENT)}


def pytest_configure(config: pytest.Config) -> None:
    if config.pluginmanager.hasplugin("xdist"):
        config.pluginmanager.register(_Workers())


class _Workers:
    """Of the process that starts workers: what they report."""

    spent = 0.0

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        found = getattr(node, "workeroutput", {}).get("spent", {"all": 0.0, "modules": {}})
        _Workers.spent += found["all"]
        for name, row in found["modules"].items():
            _SPENT[name] = [a + b for a, b in zip(_SPENT[name], row, strict=True)]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    rows = sorted(_SPENT.items(), key=lambda row: -row[1][0])
    terminalreporter.write_line("CPU s  wall s  tests  module")
    for name, (cpu, wall, tests) in rows:
        terminalreporter.write_line(f"{cpu:5.0f}  {wall:6.0f}  {tests:5.0f}  {name}")
    whole = (_Workers.spent or _cpu()) / 60
    terminalreporter.write_line(f"{whole:.1f} CPU minutes in all")
