"""A seeded fleet of process pumps: telemetry, logs and failures to prove the machinery with.

It is harder and more honest than the usual public sets, but it is made up: scores on it say that the
machinery works, and nothing about any plant.
"""
