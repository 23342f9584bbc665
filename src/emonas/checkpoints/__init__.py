"""Pretrained weights: a registry in the settings, fetched, verified, loaded without their code."""
