"""What alarms are worth: scores by event, the one-line rule, plots."""
