"""The timetable of a tour: closed forms, and a brute force that moves through time second by second."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from echelon.errors import Violation
from echelon.solvers.routing.legs import Legs, Point
from echelon.solvers.routing.problem import ALWAYS, NO_WAY, Bands, Break, Hub, Problem, Route, Solution
from echelon.solvers.routing.schedule import Timetable, cost, schedule, timetables

from .cases import HUB, TWO, WAYS, problem, stop, vehicle

LINE = np.abs(np.arange(4)[:, None] - np.arange(4)[None, :]) * 10  # four places on a road, ten apart


def on_line(*stops: object, **changes: object) -> Problem:
    driver = vehicle("v", cost_per_duration=1, **changes)
    return replace(problem(list(stops), [driver]), distances=(LINE,), durations=(LINE,))  # type: ignore[arg-type]


def planned(made: Problem, route: Route) -> Timetable:
    found = schedule(made, route)
    assert isinstance(found, Timetable), found
    return found


def test_departs_as_late_as_waiting_allows() -> None:
    """Closed form: with one window the least duration is the drive and service, if the departure may move."""
    tour = planned(on_line(stop(1, windows=((50, 60),)), stop(2)), Route(0, ((0, 1),)))
    assert (tour.departure, tour.finish, tour.duration) == (40, 84, 44)
    assert [(c.arrival, c.begin, c.end) for c in tour.calls] == [(50, 50, 52), (62, 62, 64)]
    assert tour.cost == 40 + 44


def test_waits_where_windows_lie_too_far_apart() -> None:
    """Closed form: between two windows the wait is what the first's latest begin leaves."""
    tour = planned(on_line(stop(1, windows=((0, 20),)), stop(2, windows=((60, 70),))), Route(0, ((0, 1),)))
    assert (tour.departure, tour.calls[0].begin, tour.finish) == (10, 20, 82)


def test_of_several_windows_the_one_with_the_least_duration() -> None:
    """Serving the first stop in its second window saves the wait at the second stop."""
    first = stop(1, windows=((10, 12), (40, 45)))
    tour = planned(on_line(first, stop(2, windows=((55, 60),))), Route(0, ((0, 1),)))
    assert (tour.departure, tour.calls[0].begin, tour.duration) == (33, 43, 44)


def test_a_break_on_the_road_takes_its_time() -> None:
    tour = planned(on_line(stop(3), breaks=(Break(5, 15, 7),), shift=(0, 99)), Route(0, ((0,),)))
    assert (tour.duration, tour.breaks) == (62, ())  # it sets out after the break: at 12
    assert tour.departure == 12
    bound = planned(on_line(stop(3, windows=((0, 38),)), breaks=(Break(5, 35, 7),), shift=(0, 99)), Route(0, ((0,),)))
    assert (bound.departure, bound.duration, bound.breaks) == (0, 69, ((32, 39),))


def test_no_break_where_the_tour_ends_before_it_is_due() -> None:
    tour = planned(on_line(stop(1), breaks=(Break(10, 30, 7),), shift=(0, 99)), Route(0, ((0,),)))
    assert (tour.departure, tour.finish, tour.breaks) == (0, 22, ())


def test_travel_by_the_time_of_day_crosses_bands_at_both_speeds() -> None:
    """Ichoua, Gendreau & Potvin 2003: half the way at the slow speed until 10, the other half in 5 at the fast one."""
    bands = Bands((0, 10), (LINE * 2, LINE), day=1000)
    made = replace(on_line(stop(1, windows=((0, 15),)), shift=(0, 27)), durations=(bands,))
    tour = planned(made, Route(0, ((0,),)))
    assert (tour.departure, tour.calls[0].arrival, tour.finish) == (0, 15, 27)


@given(st.integers(0, 400), st.integers(0, 400))
def test_whoever_leaves_later_never_arrives_earlier(one: int, other: int) -> None:
    """First in, first out holds across bands and days, and the way back in time finds a departure no earlier."""
    bands = Bands((0, 30, 60), (LINE * 3, LINE, LINE * 2), day=100)

    def back(departure: int) -> int:
        made = on_line(stop(3, windows=((0, 999),)), shift=(departure, 999))
        legs = Legs(replace(made, durations=(bands,)), 0, [Point(0, ALWAYS, 0), Point(3, ALWAYS, 0)])
        assert legs.leave(0, legs.drive(0, departure, ())) >= departure
        return legs.drive(0, departure, ())

    early, late = sorted((one, other))
    assert back(early) <= back(late)


RANDOM_TOURS = range(120)


@pytest.mark.parametrize("seed", RANDOM_TOURS)
def test_the_least_duration_by_brute_force(seed: int) -> None:
    """Windows, breaks, release and the shift on short random tours, against every departure and every way to wait."""
    made, route = _random_tour(Random(seed))
    found, least = schedule(made, route), _least_duration(made, route)
    if least is None:
        assert isinstance(found, Violation)
    else:
        assert isinstance(found, Timetable)
        assert found.duration == least
        _holds(made, found)


def _random_tour(random: Random) -> tuple[Problem, Route]:
    """Three stops a few seconds apart, with one or two windows; sometimes a break or two, and a reload."""
    ways = np.array([[random.randint(1, 4) for _ in range(5)] for _ in range(5)])
    np.fill_diagonal(ways, 0)

    def windows() -> tuple[tuple[int, int], ...]:
        a, b, c, d = sorted(random.sample(range(25), 4))
        return ((a, b), (c, d)) if random.random() < 0.5 and b + 1 < c else ((a, d),)

    stops = [
        stop(p, windows=windows(), service=random.randint(0, 3), release=random.choice([0, 0, 5])) for p in (1, 2, 3)
    ]
    breaks = tuple(Break(e, e + random.randint(0, 6), 3) for e in random.sample([4, 14], random.randint(0, 2)))
    driver = vehicle(
        "v",
        shift=(0, 32),
        cost_per_duration=1,
        breaks=tuple(sorted(breaks, key=lambda b: b.earliest)),
        reloads=(0,),
        max_reloads=1,
    )
    made = replace(problem(stops, [driver], (Hub("hub", 4, unloading=2),)), distances=(ways,), durations=(ways,))
    return made, random.choice([Route(0, ((0, 1, 2),)), Route(0, ((0,), (1, 2)), (0,))])


def _least_duration(made: Problem, route: Route) -> int | None:
    """Every second the vehicle may drive on, wait, rest or begin service: all that can be reached, by departure."""
    driver, points = (
        made.vehicles[0],
        [(0, 0, None, 0)],
    )  # place, service, windows, moment before which it may not leave
    for number, trip in enumerate(route.trips):
        ready = max((made.stops[i].release for i in trip), default=0)
        points[-1] = (*points[-1][:3], max(ready, points[-1][3]))
        points += [(made.stops[i].place, made.stops[i].service, made.stops[i].windows, 0) for i in trip]
        if number < len(route.hubs):
            hub = made.hubs[route.hubs[number]]
            points.append((hub.place, hub.unloading, hub.windows, 0))
    points.append((driver.end, 0, None, 0))
    if len(route.trips) > 1:
        at = 1 + len(route.trips[0])
        points[at] = (*points[at][:3], max(made.stops[i].release for i in route.trips[1]))
    lengths = [int(made.distances[0][a[0], b[0]]) for a, b in pairwise(points)]
    durations = []
    for departure in range(max(driver.shift[0], points[0][3]), driver.shift[1] + 1):
        before = sum(1 for k in (1, 2) if _rest_before(driver.breaks[:k], departure, k))
        states, seen = [(departure, 0, 0, before)], set()  # moment, leg, driven on it, breaks taken
        finish = None
        while states:
            state = states.pop()
            moment, leg, driven, taken = state
            if state in seen or moment > driver.shift[1]:
                continue
            seen.add(state)
            if leg == len(lengths):
                if taken == len(driver.breaks) or moment <= driver.breaks[taken].latest:
                    finish = moment if finish is None else min(finish, moment)
                continue
            states.append((moment + 1, leg, driven, taken))
            if taken < len(driver.breaks) and driver.breaks[taken].earliest <= moment <= driver.breaks[taken].latest:
                states.append((moment + driver.breaks[taken].duration, leg, driven, taken + 1))
            if driven < lengths[leg] and moment >= points[leg][3]:
                states.append((moment + 1, leg, driven + 1, taken))
            _, service, windows, _ = points[leg + 1]
            is_open = windows is None or any(opens <= moment <= closes for opens, closes in windows)
            rested = taken == len(driver.breaks) or moment + service <= driver.breaks[taken].latest
            if driven == lengths[leg] and is_open and rested:
                states.append((moment + service, leg + 1, 0, taken))
        if finish is not None:
            durations.append(finish - departure)
    return min(durations, default=None)


def _rest_before(breaks: tuple[Break, ...], departure: int, number: int) -> bool:
    """Whether so many breaks can be over before the departure."""
    clock = 0
    for rest in breaks:
        begin = max(clock, rest.earliest)
        if begin > rest.latest:
            return False
        clock = begin + rest.duration
    return len(breaks) == number and clock <= departure


def _holds(made: Problem, tour: Timetable) -> None:
    """The timetable itself keeps windows, breaks and drives."""
    for call in tour.calls:
        windows = made.stops[call.stop].windows if call.stop is not None else made.hubs[call.hub or 0].windows
        assert any(opens <= call.begin <= closes for opens, closes in windows)
        assert call.arrival <= call.begin <= call.end
        assert not any(begin < call.end and end > call.begin for begin, end in tour.breaks if begin < end)


BROKEN = {
    "a stop admits the vehicle": (problem([stop(1, skills=frozenset({"lift"}))], TWO), Route(0, ((0,),))),
    "a vehicle reloads at its hubs": (problem([stop(1)], TWO, (HUB,)), Route(0, ((0,), ()), (0,))),
    "number of reloads": (problem([stop(1)], [vehicle(reloads=(0,))], (HUB,)), Route(0, ((0,), ()), (0,))),
    "deliveries are loaded at a hub": (
        problem([stop(1, delivery=(1,))], [vehicle(loads_at_start=False)]),
        Route(0, ((0,),)),
    ),
    "pickups are unloaded at a hub": (problem([stop(1)], [vehicle(unloads_at_end=False)]), Route(0, ((0,),))),
    "capacity of a vehicle": (problem([stop(1, pickup=4)], TWO), Route(0, ((0,),))),
    "there is a way": (replace(problem([stop(1)], TWO), distances=(WAYS + NO_WAY,)), Route(0, ((0,),))),
    "range of a vehicle": (problem([stop(1)], [vehicle(max_distance=13)]), Route(0, ((0,),))),
    "on time": (problem([stop(1, windows=((0, 6),))], TWO), Route(0, ((0,),))),
    "longest duration of a tour": (problem([stop(1)], [vehicle(max_duration=15)]), Route(0, ((0,),))),
}


@pytest.mark.parametrize("rule", BROKEN)
def test_a_broken_rule_is_named(rule: str) -> None:
    made, route = BROKEN[rule]
    found = schedule(made, route)
    assert isinstance(found, Violation)
    assert found.rule == rule
    assert found.amount > 0


def test_a_stop_is_visited_once_and_a_vehicle_drives_once() -> None:
    made = problem([stop(1), stop(2)], TWO)
    twice = cost(made, Solution((Route(0, ((0,),)), Route(1, ((0,),)))))
    both = cost(made, Solution((Route(0, ((0,),)), Route(0, ((1,),)))))
    assert isinstance(twice, Violation) and twice.rule == "a stop is visited once"
    assert isinstance(both, Violation) and both.rule == "a vehicle drives one tour"


def test_visits_at_a_hub_share_its_docks() -> None:
    """Two tours that would unload together: with one dock one of them comes later, with two both come at once."""
    fleet = [vehicle(name, end=5, end_hub=0) for name in ("a", "b")]
    plan = Solution((Route(0, ((0,),)), Route(1, ((1,),))))
    for docks, overlap in ((1, False), (2, True)):
        hub = replace(HUB, unloading=20, docks=docks, windows=((0, 100),))
        tours = timetables(problem([stop(1), stop(4)], fleet, (hub,)), plan)
        assert not isinstance(tours, Violation)
        one, other = (tour.calls[-1] for tour in tours)
        assert (one.begin < other.end and other.begin < one.end) == overlap


@given(factor=st.integers(1, 50), seed=st.integers(0, 30))
@settings(max_examples=25, deadline=None)
def test_a_finer_unit_of_time_changes_nothing_but_the_figures(factor: int, seed: int) -> None:
    """Scaling all times scales the timetable: no constant of ours has a unit."""
    made, route = _random_tour(Random(seed))
    driver = made.vehicles[0]
    finer = replace(
        made,
        durations=(np.asarray(made.durations[0]) * factor,),
        stops=tuple(
            replace(
                s,
                service=s.service * factor,
                release=s.release * factor,
                windows=tuple((o * factor, c * factor) for o, c in s.windows),
            )
            for s in made.stops
        ),
        hubs=tuple(replace(h, unloading=h.unloading * factor) for h in made.hubs),
        vehicles=(
            replace(
                driver,
                shift=(driver.shift[0] * factor, driver.shift[1] * factor),
                breaks=tuple(Break(b.earliest * factor, b.latest * factor, b.duration * factor) for b in driver.breaks),
            ),
        ),
    )
    before, after = schedule(made, route), schedule(finer, route)
    assert isinstance(before, Violation) == isinstance(after, Violation)
    if isinstance(before, Timetable) and isinstance(after, Timetable):
        assert after.duration == before.duration * factor
