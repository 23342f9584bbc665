"""A module a kind of system, named as `network` in the settings: `Options` and `build`."""
