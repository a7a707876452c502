"""Monitoring: whether what is served is still what was judged."""
