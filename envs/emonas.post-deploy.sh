#!/bin/sh
# whisper asks for triton, which it needs on a GPU only; resemblyzer for webrtcvad, which has no wheel
# (webrtcvad-wheels stands in its place).
set -eu
python -m pip install --quiet --no-deps openai-whisper==20250625 resemblyzer==0.1.4
