"""A module a search method, named as in the settings; each holds `Options` and `search`."""
