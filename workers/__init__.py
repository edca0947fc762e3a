"""Background processes: timers and jobs."""
