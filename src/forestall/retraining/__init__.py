"""The life cycle's end and beginning: what is served, and how it is exchanged."""
