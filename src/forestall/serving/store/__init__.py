"""The database of the service: readings, events, opinions, alarms and keys. It knows nothing of HTTP."""
