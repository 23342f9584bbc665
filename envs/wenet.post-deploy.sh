#!/bin/sh
# WeNet is not on PyPI; rev_reverb carries the whole package, and asks for an older torch.
set -eu
python -m pip install --quiet --no-deps rev_reverb==0.1.0
