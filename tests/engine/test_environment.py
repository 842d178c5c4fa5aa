"""A package, or a module of the standard library, that comes from anywhere but its place moves the key."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import site
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from regrow.engine import closure
from regrow.engine.environment import Environment
from regrow.engine.errors import FlowError

PINS = "alpha==1.0\nbeta==2.0\nspaces==3.0\n"


def install(place: Path, name: str, version: str, needs: str = "", top: str = "") -> None:
    """A distribution of one package in a folder, as pip lays it out."""
    package = place / (top or name)
    package.mkdir(parents=True, exist_ok=True)
    (package / "__init__.py").write_text(f"version = {version!r}\n")
    info = place / f"{name}-{version}.dist-info"
    info.mkdir()
    requires = f"Requires-Dist: {needs}\n" if needs else ""
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}"
    )
    (info / "RECORD").write_text(f"{top or name}/__init__.py,,\n{info.name}/METADATA,,\n")


class Place:
    """A repository with an environment of its own."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = path / "repository"
        (self.root / "src").mkdir(parents=True)
        (self.root / "constraints.txt").write_text(PINS)
        self.installed = path / "site-packages"
        install(self.installed, "alpha", "1.0", needs="beta")
        install(self.installed, "beta", "2.0")
        self.more = path / "more"
        self.more.mkdir()
        standard = [p for p in sys.path if "python3" in p and not p.endswith("-packages")]
        self.patch = monkeypatch
        self.path = [*standard, str(self.installed)]
        monkeypatch.delenv("PYTHONPATH", raising=False)
        monkeypatch.setattr(sys, "path", self.path)

    def look(self, *imports: str) -> dict[str, str]:
        """The part `packages` of a step that imports these, as a new process finds it."""
        environment = Environment(self.root, self.root / ".regrow/environment")
        return environment.packages(imports or ("alpha",))

    def put_first(self, entry: Path) -> None:
        """As PYTHONPATH does: before everything else."""
        self.patch.setattr(sys, "path", [str(entry), *self.path])

    def put_last(self, entry: Path) -> None:
        """As a .pth file does: behind everything else."""
        self.patch.setattr(sys, "path", [*self.path, str(entry)])


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return Place(tmp_path, monkeypatch)


PLAIN = {"python": f"{sys.version_info[0]}.{sys.version_info[1]}", "alpha": "1.0", "beta": "2.0"}


def test_what_is_installed_counts_by_its_version(place: Place):
    assert place.look() == PLAIN
    assert place.look() == PLAIN  # from the memory


def overlay(place: Place) -> None:
    install(place.more, "beta", "2.5")
    place.put_first(place.more)


def version_only(place: Place) -> None:
    """Its metadata say another version, the modules are those of the old installation."""
    install(place.more, "beta", "2.5", top="unrelated")
    (place.more / "beta-2.5.dist-info/RECORD").write_text("beta/__init__.py,,\n")
    place.put_first(place.more)


def stray_file(place: Place) -> None:
    (place.more / "beta.py").write_text("x = 1\n")
    place.put_first(place.more)


def stray_folder(place: Place) -> None:
    (place.more / "beta").mkdir()
    (place.more / "beta/__init__.py").write_text("x = 1\n")
    place.put_first(place.more)


def archive(place: Place) -> None:
    with zipfile.ZipFile(place.more / "more.zip", "w") as file:
        file.writestr("beta/__init__.py", "x = 1\n")
    place.put_first(place.more / "more.zip")


def beside_our_code(place: Place) -> None:
    (place.root / "src/beta.py").write_text("x = 1\n")


def folder_of_a_pth_file(place: Place) -> None:
    """The installed one is removed; its metadata stay, the module comes from the added folder."""
    (place.installed / "beta/__init__.py").unlink()
    (place.installed / "beta").rmdir()
    (place.more / "beta.py").write_text("x = 1\n")
    (place.installed / "more.pth").write_text(f"{place.more}\n")
    site.addsitedir(str(place.installed))


def editable(place: Place) -> None:
    """An editable installation has a finder of its own."""
    (place.installed / "beta/__init__.py").unlink()
    (place.installed / "beta").rmdir()
    (place.more / "beta.py").write_text("x = 1\n")

    class Finder:
        @staticmethod
        def find_spec(name: str, path: object = None, target: object = None) -> object:
            if name != "beta":
                return None
            return importlib.util.spec_from_file_location("beta", place.more / "beta.py")

    place.patch.setattr(sys, "meta_path", [*sys.meta_path, Finder])


@pytest.mark.parametrize(
    "change",
    [
        overlay, version_only, stray_file, stray_folder, archive, beside_our_code,
        folder_of_a_pth_file, editable,
    ],
)  # fmt: skip
def test_a_package_from_another_place_moves_the_key_of_those_who_reach_it(
    place: Place, change: Callable[[Place], None]
):
    install(place.installed, "spaces", "3.0")
    assert place.look() == PLAIN  # the memory is of before
    change(place)
    now = place.look()
    assert now["beta"] != "2.0"
    assert {k: v for k, v in now.items() if k != "beta"} == {
        k: v for k, v in PLAIN.items() if k != "beta"
    }
    assert str(place.more) not in now["beta"]  # a path is no part of a key
    assert place.look("spaces") == {"python": PLAIN["python"], "spaces": "3.0"}


@pytest.mark.parametrize("entry", ["alpha/sub.py", "beta/__init__.py"])
def test_the_content_of_a_stray_package_counts(place: Place, entry: str):
    for name in ("alpha", "beta"):
        (place.more / name).mkdir()
        (place.more / name / "__init__.py").write_text("x = 1\n")
    place.put_first(place.more)
    first = place.look()
    (place.more / entry).write_text("x = 2\n")
    second = fresh(place)
    assert first != second
    (place.more / "alpha/__pycache__").mkdir()
    (place.more / "alpha/__pycache__/x.pyc").write_bytes(b"made by Python")
    assert fresh(place) == second


def fresh(place: Place) -> dict[str, str]:
    """As another process: contents are read once per process."""
    from regrow.engine import origins

    origins._content.cache_clear()
    return place.look()


def test_a_folder_becomes_a_package_when_it_gets_an_init(place: Place):
    (place.more / "beta").mkdir()
    place.put_first(place.more)
    assert place.look() == PLAIN  # a folder without one does not stand before a package
    (place.more / "beta/__init__.py").write_text("")
    assert place.look()["beta"].startswith("2.0, but beta is from elsewhere (sha256 ")


def test_a_version_edited_in_place_is_seen(place: Place):
    assert place.look() == PLAIN
    metadata = place.installed / "beta-2.0.dist-info/METADATA"
    metadata.write_text(metadata.read_text().replace("Version: 2.0", "Version: 2.1"))
    assert place.look() == {**PLAIN, "beta": "2.1"}


def test_the_order_of_the_path_decides_between_two_installations(place: Place):
    install(place.more, "beta", "2.5")
    place.put_first(place.more)
    assert place.look()["beta"] == "2.5"
    place.put_last(place.more)
    assert place.look() == PLAIN


def test_a_part_of_a_namespace_package_from_elsewhere_counts(place: Place):
    for name in ("spaces/one.py", "spaces/two.py"):
        (place.installed / name).parent.mkdir(exist_ok=True)
        (place.installed / name).write_text("")
    install(place.installed, "spaces", "3.0", top="unrelated")
    (place.installed / "spaces-3.0.dist-info/RECORD").write_text("spaces/one.py,,\n")
    plain = place.look("spaces")
    assert plain["spaces"] == "3.0"
    (place.more / "spaces").mkdir()
    (place.more / "spaces/one.py").write_text("x = 1\n")
    place.put_first(place.more)
    assert place.look("spaces")["spaces"].startswith("3.0, but spaces is from elsewhere")


@pytest.mark.parametrize("name", ["random.py", "statistics/__init__.py", "json.py"])
def test_a_stray_module_in_place_of_the_standard_librarys_moves_every_key(place: Place, name: str):
    assert place.look() == PLAIN
    (place.more / name).parent.mkdir(exist_ok=True)
    (place.more / name).write_text("x = 1\n")
    place.put_last(place.more)
    assert place.look() == PLAIN  # behind the standard library it is never imported
    place.put_first(place.more)
    module = name.split("/")[0].removesuffix(".py")
    assert place.look()["python"].startswith(f"{PLAIN['python']}, but {module} is from elsewhere")
    assert place.look()["alpha"] == "1.0"


def test_what_python_has_built_in_cannot_be_replaced_and_moves_nothing(place: Place):
    for name in ("sys.py", "time.py", "zipimport.py"):
        (place.more / name).write_text("x = 1\n")
    place.put_first(place.more)
    assert place.look() == PLAIN


def test_the_folder_in_which_a_command_is_called_is_none_from_which_a_job_imports(
    place: Place, tmp_path: Path
):
    (place.root / "beta.py").write_text("x = 1\n")
    place.patch.chdir(place.root)
    place.patch.setattr(sys, "path", ["", str(place.root), *place.path])
    assert place.look() == PLAIN
    place.patch.setenv("PYTHONPATH", f"{place.root}{os.pathsep}/elsewhere")
    assert place.look()["beta"] != "2.0"  # unless PYTHONPATH says so


def test_the_published_environment_is_plain(tmp_path: Path):
    """In this environment nothing stands in front of anything, or the published keys could not be met."""
    root = Path(closure.__file__).parents[3]
    code = (
        "import json, sys; from pathlib import Path; from regrow.engine.environment import Environment\n"
        f"print(Environment(Path({str(root)!r}), Path({str(tmp_path)!r})).elsewhere)"
    )
    command = [sys.executable, "-P", "-c", code]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(root / "src")}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert done.stdout == "{}\n"


@pytest.mark.parametrize("suffix", [".so", importlib.machinery.EXTENSION_SUFFIXES[0]])
def test_a_compiled_module_in_front_of_ours_is_refused(tmp_path: Path, suffix: str):
    """Python would import it in place of the source of which the key is."""
    package = tmp_path / "ours"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "step.py").write_text("def run(): ...\n")
    found = closure.Modules(tmp_path / "syntax.json", ["ours"], tmp_path)
    assert found.path("ours.step") == package / "step.py"
    (package / f"step{suffix}").write_bytes(b"")
    found = closure.Modules(tmp_path / "syntax.json", ["ours"], tmp_path)
    with pytest.raises(FlowError, match=r"would be imported in place of .*step\.py"):
        found.path("ours.step")


@pytest.mark.parametrize(
    ("marker", "holds"),
    [
        ('extra == "dev"', False),
        ("extra=='dev'", False),
        ('python_version >= "3" and extra == "dev"', False),
        ('(os_name == "x" or os_name == "posix") and extra == "dev"', False),
        ('os_name == "posix" or python_version < "3" and extra == "dev"', True),
        ('python_version >= "3" and extra == "dev" or os_name == "posix"', True),
        ('extra == "dev" or os_name == "posix"', True),
        ('extra == ""', True),
        ('extra != "dev"', True),
        ('os_name == "posix"', True),
        ('os_name == "nt"', False),
    ],
)
def test_markers_mean_what_the_parser_says(marker: str, holds: bool) -> None:
    """Most name an extra, and are refused without it."""
    from packaging.markers import Marker

    from regrow.engine.environment import _holds

    assert _holds(marker) is Marker(marker).evaluate({"extra": ""}) is holds
