#!/bin/sh
# fairseq comes as source, from the days of Cython 0.29 and NumPy 1, and compiles against torch where
# it sees one: so its wheel is built without torch, in a venv of its own, which goes again.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python -m venv "$work/build"
"$work/build/bin/python" -m pip install --quiet \
  setuptools==69.5.1 wheel==0.45.1 cython==0.29.37 numpy==1.26.4
"$work/build/bin/python" -m pip wheel --quiet --no-deps --no-build-isolation \
  --wheel-dir "$work" fairseq==0.12.2
# Its pins are older than this environment's packages.
python -m pip install --quiet --no-deps "$work"/fairseq-0.12.2-*.whl
