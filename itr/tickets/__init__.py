"""What all kinds of tickets share: alarms that fire, reminders, management escalation."""
