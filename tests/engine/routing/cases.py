"""Tiny routing problems, one for each rule, and their best plans by enumeration."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, pairwise, permutations, product

import numpy as np

from echelon.errors import Violation
from echelon.solvers.routing.problem import NO_WAY, Bands, Break, Hub, Problem, Route, Solution, Stop, Vehicle
from echelon.solvers.routing.schedule import cost

PLACES = np.array([[0, 0], [6, 1], [2, 7], [9, 8], [4, 3], [8, 2]])  # place 0 is the depot, place 5 a hub
WAYS = np.abs(PLACES[:, None] - PLACES[None, :]).sum(axis=2)
SLOW = WAYS * 3


def stop(place: int, pickup: int = 1, **changes: object) -> Stop:
    """A stop at a place with one load dimension."""
    return replace(Stop(f"stop {place}", place, (pickup,), (0,), service=2), **changes)  # type: ignore[arg-type]


def vehicle(name: str = "van", **changes: object) -> Vehicle:
    return replace(Vehicle(name, 0, 0, (3,), shift=(0, 200)), **changes)  # type: ignore[arg-type]


def problem(stops: list[Stop], vehicles: list[Vehicle], hubs: tuple[Hub, ...] = (), **changes: object) -> Problem:
    made = Problem(tuple(stops), tuple(vehicles), (WAYS,), (WAYS,), hubs)
    return replace(made, **changes)  # type: ignore[arg-type]


FOUR = [stop(1), stop(2), stop(3), stop(4)]
TWO = [vehicle("a"), vehicle("b", fixed_cost=3)]
LARGE = [vehicle("a", capacity=(4,)), vehicle("b", capacity=(4,), fixed_cost=3)]
HUB = Hub("hub", 5, windows=((10, 60),), unloading=3)
RELOADS = vehicle("r", capacity=(2,), reloads=(0,), max_reloads=2)

CLOSED = WAYS.copy()  # no way between the depot and the stop nearest to it
CLOSED[0, 4] = CLOSED[4, 0] = NO_WAY

RULES: dict[str, Problem] = {
    "capacity": problem(FOUR, TWO),
    "three load dimensions": problem(
        [
            replace(s, pickup=p, delivery=(0, 0, 0))
            for s, p in zip(FOUR, [(1, 4, 0), (1, 1, 2), (2, 1, 1), (1, 0, 2)], strict=True)
        ],
        [vehicle("a", capacity=(3, 5, 4)), vehicle("b", capacity=(4, 4, 4))],
    ),
    "several windows": problem(
        [stop(1, windows=((0, 3), (50, 60))), stop(2, windows=((0, 6), (90, 95))), *FOUR[2:]],
        [vehicle("a", capacity=(4,), cost_per_duration=1)],
    ),
    "optional stops": problem([replace(s, loss=loss) for s, loss in zip(FOUR, [30, 2, 9, 1], strict=True)], TWO),
    "skills": problem(
        [stop(1, skills=frozenset({"lift"})), *FOUR[1:]],
        [LARGE[0], replace(LARGE[1], skills=frozenset({"lift", "cool"}))],
    ),
    "named vehicles": problem([stop(1, vehicles=frozenset({1})), *FOUR[1:]], LARGE),
    "breaks": problem(
        FOUR, [vehicle("a", capacity=(4,), shift=(0, 56), cost_per_duration=1, breaks=(Break(10, 14, 5),))]
    ),
    "longest duration": problem(FOUR, [replace(v, max_duration=40) for v in LARGE]),
    "range": problem(FOUR, [replace(v, max_distance=35) for v in LARGE]),
    "reloads at a hub with hours": problem(
        FOUR, [replace(RELOADS, shift=(0, 56))], (replace(HUB, windows=((40, 44),)),)
    ),
    "unloads before going home": problem(
        FOUR, [vehicle("a", reloads=(0,), max_reloads=1, capacity=(4,), unloads_at_end=False)], (HUB,)
    ),
    "loads at a hub": problem(
        [replace(s, pickup=(0,), delivery=(1,)) for s in FOUR],
        [vehicle("a", reloads=(0,), max_reloads=2, loads_at_start=False)],
        (HUB,),
    ),
    "docks": problem(
        FOUR,
        [vehicle(n, end=5, end_hub=0, capacity=(2,), shift=(0, 40), cost_per_duration=1) for n in ("a", "b")],
        (replace(HUB, windows=((18, 24),), unloading=8, docks=1),),
    ),
    "deliveries and pickups": problem(
        [replace(s, delivery=(d,)) for s, d in zip(FOUR, [2, 0, 1, 1], strict=True)],
        [vehicle("a", capacity=(4,)), vehicle("b", capacity=(2,))],
    ),
    "deliveries and pickups with reloads": problem(
        [replace(s, delivery=(d,)) for s, d in zip(FOUR, [1, 0, 1, 2], strict=True)], [RELOADS], (HUB,)
    ),
    "release": problem(
        [replace(s, release=15) if s.place < 3 else s for s in FOUR], [replace(RELOADS, shift=(0, 60))], (HUB,)
    ),
    "release where unloading takes no time": problem(
        [replace(s, release=15) if s.place < 3 else s for s in FOUR],
        [replace(RELOADS, shift=(0, 56))],
        (replace(HUB, unloading=0),),
    ),
    "profiles": problem(
        FOUR,
        [vehicle("a", profile=1, shift=(0, 60)), vehicle("b", cost_per_distance=2)],
        distances=(WAYS, WAYS),
        durations=(WAYS, SLOW),
    ),
    "ways that are not there": problem(FOUR, TWO, distances=(CLOSED,)),
    "time of day": problem(FOUR, TWO, durations=(Bands((0, 20), (SLOW, WAYS), day=100),)),
    "a stop no one can serve": problem([stop(1, pickup=9), *FOUR[1:]], TWO),
}


def plans(given: Problem) -> Iterator[Solution]:
    """All plans of a tiny problem, good and bad."""
    everyone = range(len(given.stops))
    for number in range(len(given.stops) + 1):
        for chosen in combinations(everyone, number):
            for order in permutations(chosen):
                for cuts in product(range(number + 1), repeat=len(given.vehicles) - 1):
                    if list(cuts) == sorted(cuts):
                        ends = [0, *cuts, number]
                        shares = [order[a:b] for a, b in pairwise(ends)]
                        options = [list(_tours(given, v, share)) for v, share in enumerate(shares)]
                        yield from (Solution.of(given, routes) for routes in product(*options))


def best(given: Problem) -> tuple[int, int]:
    """The worth of the best plan, by enumeration."""
    worths = (cost(given, plan) for plan in plans(given))
    return min(worth for worth in worths if not isinstance(worth, Violation))


def _tours(given: Problem, v: int, stops: tuple[int, ...]) -> Iterator[Route]:
    """The tours of a vehicle through these stops in this order, with every choice of reloads."""
    yield Route(v, (stops,))
    driver = given.vehicles[v]
    for number in range(1, driver.max_reloads + 1) if stops else ():
        for cuts in combinations(range(len(stops) + 1), number):
            ends = [0, *cuts, len(stops)]
            trips = tuple(stops[a:b] for a, b in pairwise(ends))
            for hubs in product(driver.reloads, repeat=number):
                yield Route(v, trips, hubs)
