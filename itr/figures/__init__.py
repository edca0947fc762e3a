"""Figures of the process: what is measured, of which requests, by what (R-KPI-01)."""
