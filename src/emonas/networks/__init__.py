"""Pure modules: they know no files and no settings."""
