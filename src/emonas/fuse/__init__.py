"""Stage `fuse`: trained streams of one fold and seed become one system."""
