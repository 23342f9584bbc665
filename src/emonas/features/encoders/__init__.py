"""Pretrained encoders as they were released: files read, networks filled, audio prepared."""
