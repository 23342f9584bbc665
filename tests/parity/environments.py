"""The originals' environments as plain venvs, from the files that serve conda."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

CHECKOUT = Path(__file__).parents[2]
TORCHAUDIO = "torchaudio==2.11.0"


def build_environment(name: str, folder: Path) -> Path:
    """Build the venv of `envs/{name}.yaml` unless it stands there as the file says.

    The pins of pip are installed, and then what Snakemake would run after conda:
    `envs/{name}.post-deploy.sh`.

    Returns:
        its interpreter.

    Raises:
        subprocess.CalledProcessError: something cannot be installed.
    """
    recipe = CHECKOUT / "envs" / f"{name}.yaml"
    script = recipe.with_suffix(".post-deploy.sh")
    ready, digest = folder / ".ready", _digest(recipe, script)
    python = folder / "bin" / "python"
    if ready.exists() and ready.read_text() == digest:
        print(f"{folder}: stands as {recipe.name} says", flush=True)
        return python
    print(f"{folder}: installing what {recipe.name} pins, without conda: some minutes", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([_interpreter(), "-m", "venv", folder], check=True)
    pip, pins = _pins(yaml.safe_load(recipe.read_text(encoding="utf-8")))
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, pip], check=True)
    subprocess.run([*install, *pins], check=True)
    path = f"{python.parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(["sh", script], check=True, env={**os.environ, "PATH": path})
    ready.write_text(digest)
    return python


def build_torchaudio(folder: Path) -> Path:
    """Put torchaudio where this interpreter finds it, without the libraries that need CUDA.

    PyPI's wheels are built for CUDA. Beside a CPU build of torch they do not import; without
    their libraries they do, and what is compared here needs none of these.

    Returns:
        the folder for PYTHONPATH.
    """
    ready = folder / ".ready"
    if not (ready.exists() and ready.read_text() == TORCHAUDIO):
        print(f"{folder}: installing {TORCHAUDIO}", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
        subprocess.run([*install, "--target", folder, TORCHAUDIO], check=True)
        for library in (folder / "torchaudio").rglob("*torchaudio*.so"):
            library.unlink()
        ready.write_text(TORCHAUDIO)
    return folder


def _digest(*files: Path) -> str:
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


def _interpreter() -> str:
    """A Python of the version that conda would take, else this one."""
    here = sys.version_info[:2] == (3, 11)
    return sys.executable if here else shutil.which("python3.11") or sys.executable


def _pins(recipe: dict[str, Any]) -> tuple[str, list[str]]:
    """The pin of pip itself, and those of the packages that it installs."""
    (pip,) = (entry for entry in recipe["dependencies"] if str(entry).startswith("pip="))
    (section,) = (entry for entry in recipe["dependencies"] if isinstance(entry, dict))
    return pip.replace("=", "=="), section["pip"]
