"""Stage `protocols`: who is tested on whom, and the audit of what crosses the folds."""
