"""What all kinds of tickets share: verbs by declaration, alarms that fire, escalation."""
