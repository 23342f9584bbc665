"""Stage `corpora`: what was said. A reader a corpus gives a manifest and a list of problems."""
