"""Shapes of service time: calendars, clocks, control points, lateness."""
