"""The name of the machine that a benchmark measures."""

import torch

from benchmarks import machine


def test_a_cpu_has_the_name_that_the_system_gives_it(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "CPUS", tmp_path / "cpuinfo")
    assert machine.device_name(torch.device("cpu")).startswith("a CPU of type ")
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nmodel name\t: Fast CPU 3000\nmodel name\t: other\n")
    assert machine.device_name(torch.device("cpu")) == "Fast CPU 3000"
