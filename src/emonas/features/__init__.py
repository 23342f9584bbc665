"""Stage `features`: how an utterance sounds, in one HDF5 file a corpus and feature."""
