"""Grafana's dashboard, from the declared metrics and the alerts' numbers."""
