"""Drawings by matplotlib: the same input gives the same bytes."""
