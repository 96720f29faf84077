import importlib.util
from pathlib import Path

import pytest
from rich.console import Console

from visrec.config import WorkloadConfig
from visrec.errors import ConfigError
from visrec.storage import Workspace
from visrec.workloads.tracking import run, server_command


def test_the_page_is_for_this_machine_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    command = server_command(Workspace(str(tmp_path)), 5001)
    assert command[command.index("--host") + 1] == "127.0.0.1"
    assert command[command.index("--port") + 1] == "5001"
    assert command[command.index("--backend-store-uri") + 1] == f"sqlite:///{tmp_path}/tracking/mlflow.db"


@pytest.mark.skipif(importlib.util.find_spec("mlflow") is not None, reason="MLflow is installed")
def test_without_the_extra_it_says_what_to_install() -> None:
    with pytest.raises(ConfigError, match=r"pip install 'visrec\[tracking\]'"):
        run(WorkloadConfig(), console=Console())
