import subprocess
import sys

import pytest

from visrec.workloads.memory import PeakMemory

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="PSS is known on Linux only")

CHILD = "import time; held = b'x' * 100_000_000; print('ready', flush=True); time.sleep(60)"


def test_peak_counts_children_and_stays_when_they_are_gone() -> None:
    with PeakMemory(interval_seconds=0.05) as alone:
        pass
    with PeakMemory(interval_seconds=0.05) as memory:
        child = subprocess.Popen([sys.executable, "-c", CHILD], stdout=subprocess.PIPE)
        with child:
            assert child.stdout is not None
            assert child.stdout.readline() == b"ready\n"
            seen = memory.num_bytes or 0
            while seen < (alone.num_bytes or 0) + 100_000_000:
                seen = memory.num_bytes or 0
            child.kill()
    assert alone.num_bytes is not None
    assert memory.num_bytes is not None
    assert 100_000_000 <= memory.num_bytes - alone.num_bytes < 300_000_000
