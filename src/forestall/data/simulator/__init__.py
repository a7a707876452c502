"""A seeded fleet of process pumps: telemetry, logs and failures to prove the machinery with.

It is harder and more honest than the usual public sets, but it is made up: scores on it say that the
machinery works, and nothing about any plant.
"""

from forestall.data.simulator.fleet import FleetChunk, simulate_fleet
from forestall.data.simulator.settings import SimulateParams
from forestall.data.simulator.write import write_fleet

__all__ = ["FleetChunk", "SimulateParams", "simulate_fleet", "write_fleet"]
