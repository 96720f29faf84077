"""A wheel of the running code, so that a job on a cluster runs exactly what was submitted.

Written here and not by a build tool for three reasons. Ray installs a job's wheel with everything that it requires,
so it must not require anything: the cluster has Ray and torch, and a second copy of both would take gigabytes and
minutes. Ray knows a wheel by its file name alone, so the name must change with the content, or the second submission
would run the code of the first. And it works the same from a checkout and from an installed package.
"""

import base64
import hashlib
import zipfile
from importlib import import_module
from pathlib import Path

import visrec

# In a checkout, the last three lie outside the folder of `visrec`.
_PACKAGES = ("visrec", "visrec.deployments", "visrec.tune", "visrec.workloads")
_TIME = (1980, 1, 1, 0, 0, 0)


def build_wheel(folder: Path) -> Path:
    """Write a wheel of the code that is running into `folder`; the same code gives the same file, byte for byte.

    Example:
        >>> build_wheel(Path("dist")).name                                       # doctest: +SKIP
        'visrec-0.1.0-0_4f2a91c07be3-py3-none-any.whl'
    """
    files = _code()
    digest = hashlib.sha256()
    for name, data in sorted(files.items()):
        digest.update(f"{name}\0{len(data)}\0".encode() + data)
    version = visrec.__version__
    files |= _metadata(f"visrec-{version}.dist-info", version, files)
    folder.mkdir(parents=True, exist_ok=True)
    # After the version a wheel's name may have a build tag: a digit, then anything.
    path = folder / f"visrec-{version}-0_{digest.hexdigest()[:12]}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, _TIME), data, zipfile.ZIP_DEFLATED)
    return path


def _code() -> dict[str, bytes]:
    """Every file of the packages, by its path in the wheel."""
    found = {}
    for package in _PACKAGES:
        root = Path(str(import_module(package).__file__)).parent
        for file in sorted(root.rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                found[f"{package.replace('.', '/')}/{file.relative_to(root).as_posix()}"] = file.read_bytes()
    return found


def _metadata(folder: str, version: str, files: dict[str, bytes]) -> dict[str, bytes]:
    described = {
        f"{folder}/METADATA": f"Metadata-Version: 2.1\nName: visrec\nVersion: {version}\n".encode(),
        f"{folder}/WHEEL": b"Wheel-Version: 1.0\nGenerator: visrec\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = [f"{name},sha256={_digest(data)},{len(data)}" for name, data in (files | described).items()]
    described[f"{folder}/RECORD"] = "\n".join([*record, f"{folder}/RECORD,,", ""]).encode()
    return described


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
