"""ITR Desk: from issue to resolved, every promise and every countdown kept exactly."""
