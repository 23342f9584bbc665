"""The settings file as one model, put together from the options that each part declares."""
