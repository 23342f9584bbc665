"""Stage `train`: a system on one fold and seed, trained, applied and costed."""
