"""The service over HTTP: parse, ask, answer."""
