"""A module a reader, named as in the settings; each holds `Options` and `read`."""
