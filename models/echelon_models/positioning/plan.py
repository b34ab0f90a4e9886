"""A plan as arrays: the times of all stages, and what follows from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from echelon_models.positioning.network import Network
from echelon_models.positioning.problem import Problem, decides
from echelon_models.positioning.stock import SafetyStock


@dataclass(frozen=True)
class Plan:
    """Inbound and service times (steps), safety stock (units), its yearly cost (money), of each stage i."""

    inbound: np.ndarray
    quoted: np.ndarray
    units: np.ndarray
    cost: np.ndarray


def plan_of(
    network: Network, stock: Sequence[SafetyStock], problem: Problem, times: dict[int, int], limited: bool
) -> Plan:
    """The plan that the times of a problem's variables stand for: each stage quotes what those it serves allow, but
    never later than it can deliver, and waits no longer than for the slowest of its inputs."""
    active = decides(network, limited)
    latest = [
        times[problem.inbound[i]] if i in problem.inbound else int(network.latest[i]) for i in range(len(network))
    ]

    def quote(i: int, inbound: int) -> int:
        if not active[i]:
            return int(network.least[i])
        served = [latest[j] for j in network.successors[i] if active[j]]
        return min([int(network.most[i]), inbound + network.lead[i].longest, *served])

    return follow(network, stock, quote)


def each_for_itself(network: Network, stock: Sequence[SafetyStock]) -> Plan:
    """Every stage quotes the shortest time it may: each holds stock for its own lead time."""
    return follow(network, stock, lambda i, inbound: int(network.least[i]))


def only_at_the_end(network: Network, stock: Sequence[SafetyStock]) -> Plan:
    """Stages pass their whole time on; those that serve customers hold the stock that their promises take."""

    def quote(i: int, inbound: int) -> int:
        return min(inbound + network.lead[i].longest, int(network.most[i]))

    return follow(network, stock, quote)


def follow(network: Network, stock: Sequence[SafetyStock], quote: Callable[[int, int], int]) -> Plan:
    """The plan in which stage i quotes `quote(i, inbound)` steps, within its bounds; a stage that may hold no stock
    quotes at least its whole time."""
    n = len(network)
    inbound, quoted = network.supply.copy(), np.zeros(n, dtype=int)
    for i in range(n):
        inbound[i] = max([int(inbound[i]), *(int(quoted[p]) for p in network.predecessors[i])])
        whole = int(inbound[i]) + network.lead[i].longest
        wanted = quote(i, int(inbound[i])) if network.may_hold[i] or not network.holds(i) else whole
        quoted[i] = max(wanted, int(network.least[i]))
    units = np.array([float(stock[i].at(np.array(inbound[i] - quoted[i]))) for i in range(n)])
    return Plan(inbound, quoted, units, units * network.unit_cost)
