"""Emotional speech by rule: what is said, how, by whom, and over which noise."""
