"""Checks of a cluster through its dashboard before a job is submitted: reachable, same Ray version, token accepted."""

import os
from pathlib import Path
from typing import Any

import ray
import requests

from visrec.errors import ClusterError

_TIMEOUT_SECONDS = 10.0


def token_headers(address: str) -> dict[str, str]:
    """HTTP headers for a cluster: its token where it requires one, else none, so that a secret is not sent needlessly.

    The token is found where Ray finds it: `RAY_AUTH_TOKEN`, the file `RAY_AUTH_TOKEN_PATH`, `~/.ray/auth_token`.

    Raises:
        ClusterError: There is no cluster at the address, or it requires a token and none is found.
    """
    if not address.startswith(("http://", "https://")):
        raise ClusterError(
            f"expected the dashboard's address, such as http://127.0.0.1:8265, got {address!r}"
        )
    # Older versions have neither this path nor tokens.
    answer = _get(address, "/api/authentication_mode", {})
    if answer.get("authentication_mode", "disabled") == "disabled":
        return {}
    token = _token()
    if not token:
        raise ClusterError(
            f"the cluster at {address} requires a token: put it into ~/.ray/auth_token or RAY_AUTH_TOKEN; "
            "on the cluster `ray get-auth-token` shows it"
        )
    return {"Authorization": f"Bearer {token}"}


def check_cluster(address: str, headers: dict[str, str]) -> None:
    """Check that the cluster accepts the headers and runs the Ray version of this process.

    Raises:
        ClusterError: It does not.
    """
    theirs = str(_get(address, "/api/version", headers).get("ray_version", "something else"))
    if theirs.split(".")[:2] != ray.__version__.split(".")[:2]:
        raise ClusterError(f"expected Ray {ray.__version__} on the cluster at {address}, it runs {theirs}")


def _get(address: str, path: str, headers: dict[str, str]) -> dict[str, Any]:
    try:
        response = requests.get(address + path, headers=headers, timeout=_TIMEOUT_SECONDS)
    except requests.RequestException as error:
        reason = "it took too long" if isinstance(error, requests.Timeout) else "nothing answers"
        raise ClusterError(f"expected a Ray cluster's dashboard at {address}: {reason}") from None
    if response.status_code in (401, 403):
        raise ClusterError(
            f"the cluster at {address} refuses the token; `ray get-auth-token` there shows the right one"
        )
    try:
        answer = {} if response.status_code == 404 else response.json()
    except requests.JSONDecodeError:
        answer = None
    if not isinstance(answer, dict):
        raise ClusterError(f"expected a Ray cluster's dashboard at {address}, something else answers there")
    return answer


def _token() -> str:
    if token := os.environ.get("RAY_AUTH_TOKEN"):
        return token.strip()
    path = Path(os.environ.get("RAY_AUTH_TOKEN_PATH") or Path.home() / ".ray" / "auth_token")
    return path.read_text(encoding="utf-8").strip() if path.is_file() else ""
