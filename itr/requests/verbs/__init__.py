"""The verbs of the lifecycle: pure changes of a request in hand, each one event (R-REQ-01)."""
