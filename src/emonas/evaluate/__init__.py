"""Stage `evaluate`: predictions become metrics. Imports no torch."""
