"""SLA: working time, clocks, alarms."""
