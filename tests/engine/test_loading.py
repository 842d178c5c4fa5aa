from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest

from regrow.engine import loading


def test_idle_packages_are_hidden_while_the_module_is_imported_and_no_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "idle_library.py").write_text("loaded = True\n")
    (tmp_path / "greedy_step.py").write_text(
        "try:\n    import idle_library\nexcept ImportError:\n    idle_library = None\n"
        "def run():\n    return idle_library\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("greedy_step", "idle_library"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    assert loading.function("greedy_step:run", ["idle_library"])() is None
    import idle_library  # type: ignore[import-not-found]

    assert idle_library.loaded
    for name in ("greedy_step", "idle_library"):
        monkeypatch.delitem(sys.modules, name)


def test_a_package_that_is_loaded_already_stays(monkeypatch: pytest.MonkeyPatch):
    assert loading.function("json:dumps", ["pathlib"])([1]) == "[1]"
    assert sys.modules["pathlib"] is not None


def test_a_missing_module_says_so_and_leaves_nothing_hidden():
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        loading.function("no_such_module:run", ["idle_but_absent"])
    assert "idle_but_absent" not in sys.modules


def test_a_training_step_loads_none_of_the_idle_packages():
    code = (
        "import sys\n"
        "from regrow.engine import loading\n"
        "from regrow.recipe.lines import FMA32\n"
        "loading.function('regrow.learn.rl.rlvr:run', FMA32['idle'])\n"
        "print(sorted({'sklearn', 'scipy', 'accelerate', 'torch'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['torch']"


def test_which_distribution_brings_a_module_is_asked_and_answered_as_ever():
    """transformers asks while it is imported; afterwards Python's own function is there again."""
    own = importlib.metadata.packages_distributions
    with loading._listed_quickly():
        quick = importlib.metadata.packages_distributions()
    assert importlib.metadata.packages_distributions is own
    slow = {
        module: {name.lower().replace("_", "-").replace(".", "-") for name in names}
        for module, names in own().items()
    }
    assert {module: set(quick[module]) for module in slow} == slow
    more = quick.keys() - slow.keys()
    assert not [module for module in more if module.isidentifier() and "__mypyc" not in module]
