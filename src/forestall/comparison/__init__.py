"""Comparison of two revisions: what differs, whether the difference is real, and whether the change may go in."""
