"""Stage `report`: tables, figures and pages. Imports no torch."""
