"""A module an extractor, named as in the settings; each holds `Options` and `build`."""
