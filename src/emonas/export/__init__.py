"""A finished system as a folder, and what it hears in any recording."""
