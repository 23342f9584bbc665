"""A module a recogniser, named as in the settings."""
