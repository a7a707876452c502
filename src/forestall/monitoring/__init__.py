"""Monitoring: what becomes of the model in service."""
