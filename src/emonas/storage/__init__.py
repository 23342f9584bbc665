"""A module a file contract: read, validate, write whole or not at all."""
