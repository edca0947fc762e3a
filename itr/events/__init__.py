"""The event log: timeline, audit trail, outbox and resume cursor in one."""
