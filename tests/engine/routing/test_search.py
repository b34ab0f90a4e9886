"""How searches end, start, agree and repeat themselves; why stops stay out; problems that contradict themselves."""

from __future__ import annotations

import time
from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from echelon.errors import InputError, Violation
from echelon.solvers.routing import ortools_first, ortools_search, search
from echelon.solvers.routing.budget import Best, Budget
from echelon.solvers.routing.check import check
from echelon.solvers.routing.insertion import admitted, insert, squeeze
from echelon.solvers.routing.ortools_iterated import COLD, HOT, anneal, iterated
from echelon.solvers.routing.ortools_model import RoutingModel
from echelon.solvers.routing.parts import Turns, near, part_of
from echelon.solvers.routing.problem import FOREVER, NO_WAY, Bands, Break, Problem, Route, Solution
from echelon.solvers.routing.pyvrp_search import plan_part
from echelon.solvers.routing.schedule import cost
from echelon.solvers.routing.search import ORTOOLS, PYVRP, solve

from .cases import FOUR, HUB, RULES, TWO, WAYS, best, problem, stop, vehicle


def rounds(number: int) -> Budget:
    return Budget(time.monotonic() + 60, rounds=number)


def town(stops: int, seed: int = 0) -> Problem:
    """Random stops with windows, three load dimensions, two kinds of vehicles and a hub to reload at."""
    random = np.random.default_rng(seed)
    places = random.integers(0, 1000, (stops + 2, 2))
    ways = np.abs(places[:, None] - places[None]).sum(axis=2)
    opens = random.integers(0, 4000, stops)
    visits = tuple(
        replace(
            stop(k + 1),
            pickup=tuple(random.integers(1, 9, 3).tolist()),
            delivery=(0, 0, 0),
            service=60,
            windows=((int(opens[k]), int(opens[k]) + 3000),),
            skills=frozenset({"lift"} if k % 7 == 0 else ()),
            loss=5000 if k % 5 == 0 else None,
        )
        for k in range(stops)
    )
    fleet = tuple(
        vehicle(
            f"v{k}",
            capacity=(40, 50, 60),
            shift=(0, 9000),
            fixed_cost=300,
            skills=frozenset({"lift"} if k % 2 else ()),
            reloads=(0,),
            max_reloads=2,
        )
        for k in range(max(2, stops // 12))
    )
    return Problem(visits, fleet, (ways,), (ways,), (replace(HUB, place=stops + 1, windows=((0, 9000),)),))


@pytest.mark.parametrize("use", [ORTOOLS, PYVRP])
def test_the_same_seed_gives_the_same_plan(use: str) -> None:
    """Counted in rounds no clock decides: the whole plan repeats itself, not only its cost."""
    one, other = (solve(town(20), rounds(1), seed=5, use=(use,)) for _ in range(2))
    assert one.solution == other.solution
    assert one.found_by == other.found_by


def test_searches_side_by_side_keep_the_better_plan() -> None:
    """Two processes; whoever found the plan is named, and counted in rounds they too repeat themselves."""
    alone = solve(town(20), rounds(1), use=(PYVRP,))
    found = solve(town(20), rounds(1), threads=2)
    assert found.worth <= alone.worth
    assert found.worth == cost(town(20), found.solution)
    assert found.found_by in (PYVRP, f"{ORTOOLS} and {PYVRP} on parts")
    assert found.notes == ()


def test_every_better_plan_is_told_of_and_none_is_worse() -> None:
    told: list[tuple[int, int]] = []
    found = solve(town(20), rounds(2), use=(ORTOOLS,), tell=lambda solution, worth: told.append(worth))
    assert told == sorted(told, reverse=True)
    assert told[-1] == found.worth


def test_a_start_is_never_made_worse() -> None:
    """Each search may start from the other's plan; what it is given it keeps unless it finds better."""
    given_plan = solve(town(20), rounds(2), use=(PYVRP,))
    found = solve(town(20), rounds(1), use=(ORTOOLS,), start=given_plan.solution)
    assert found.worth <= given_plan.worth
    assert (found.found_by == "start") == (found.worth == given_plan.worth)


def test_stops_when_asked_to_and_keeps_the_first_plan() -> None:
    budget = Budget(time.monotonic() + 60, asked_to_stop=lambda: True)
    found = solve(town(25), budget, use=(ORTOOLS,))
    assert found.found_by == ORTOOLS
    assert found.solution.routes


def test_a_plan_that_breaks_a_rule_does_not_count() -> None:
    """Whatever a search comes back with is scheduled before it is taken."""
    held = Best(problem(FOUR, TWO))
    assert not held.offer(Solution((Route(0, ((0, 1, 2, 3),)),)))
    assert held.solution.routes == ()


def test_a_part_planned_anew_fits_into_the_whole() -> None:
    """Taking a part out and putting it back unchanged gives the same plan; its cost is that of its tours."""
    whole = town(40)
    plan = solve(whole, rounds(0), use=(ORTOOLS,)).solution
    part = near(whole, plan, 7, range(40), 15)
    inside = part.inside(plan)
    assert part.into(whole, plan, inside) == plan
    assert len(part.stops) < 40
    assert not isinstance(cost(part.problem, inside), Violation)


def test_a_part_holds_the_stop_that_it_is_about() -> None:
    """Tours that pass nearer may fill a part; without the stop's own tour its turn would never end."""
    line = np.abs(np.subtract.outer(range(41), range(41)))
    fleet = [vehicle(f"v{k}") for k in range(9)]
    whole = problem([stop(k) for k in range(1, 41)], fleet, distances=(line,), durations=(line,))
    far_away = Route(0, ((0, *range(33, 40)),))
    others = [Route(1 + k, (tuple(range(1 + 4 * k, 5 + 4 * k)),)) for k in range(8)]
    assert 0 in near(whole, Solution.of(whole, [far_away, *others]), 0, range(40), 20).stops


@pytest.mark.parametrize("money", [1, 100])
def test_annealing_begins_and_ends_at_costs_of_the_ways_of_the_tours(money: int) -> None:
    """Far ways that no tour takes do not count, nor do those to and from the depot; in a finer unit of money all
    temperatures are higher by as much. Without a tour OR-Tools sets its own."""
    line = np.abs(np.subtract.outer(*[np.array([0, 1000, 1003, 1006, 1009])] * 2))
    whole = problem(
        [stop(k) for k in range(1, 5)], [vehicle("a", cost_per_distance=money)], distances=(line,), durations=(line,)
    )
    parameters = iterated(4, rounds(0), 1.0, 1.0)
    annealing = parameters.iterated_local_search_parameters.reference_solution_acceptance_strategy.simulated_annealing
    anneal(parameters, whole, Solution.of(whole, []))
    assert annealing.automatic_temperatures
    anneal(parameters, whole, Solution.of(whole, [Route(0, ((0, 1, 2, 3),))]))
    assert not annealing.automatic_temperatures
    assert annealing.initial_temperature == pytest.approx(HOT * 3 * money)
    assert annealing.final_temperature == pytest.approx(COLD * 3 * money)


def test_pyvrp_plans_every_other_part_of_a_large_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many turns OR-Tools' own planners take, PyVRP has as many beside them."""
    whole, given = town(60), []
    monkeypatch.setattr(search, "improve", lambda problem, budget, best, admits, planners, seed: given.extend(planners))
    search.both_on_parts(whole, rounds(1), Best(whole), admitted(whole))
    assert [planner.plan is plan_part for planner in given] == [True, False] * len(ortools_search.planners(whole))


def test_a_part_keeps_the_vehicles_a_stop_names() -> None:
    whole = problem([stop(1, vehicles=frozenset({1})), *FOUR[1:]], [*TWO, vehicle("c")])
    part = part_of(whole, (0, 2), (1, 2))
    assert part.problem.stops[0].vehicles == frozenset({0})
    assert part.problem.may_come(0, 0) and not part.problem.may_come(0, 1)


def test_insertion_finds_the_cheapest_place() -> None:
    """On a tour through three stops, the fourth goes where enumeration says."""
    one = problem(FOUR, [vehicle("a", capacity=(4,))])
    plan = insert(one, Solution.of(one, [Route(0, ((0, 2, 1),))]), [3], admitted(one))
    options = [Route(0, (tuple(order),)) for order in ([3, 0, 2, 1], [0, 3, 2, 1], [0, 2, 3, 1], [0, 2, 1, 3])]
    worths = [cost(one, Solution.of(one, [route])) for route in options]
    assert cost(one, plan) == min(w for w in worths if not isinstance(w, Violation))


RELAXED = {
    "capacity": lambda p: replace(p, vehicles=tuple(replace(v, capacity=(9,)) for v in p.vehicles)),
    "several windows": lambda p: replace(p, stops=tuple(replace(s, windows=((0, 200),)) for s in p.stops)),
    "skills": lambda p: replace(p, stops=tuple(replace(s, skills=frozenset()) for s in p.stops)),
    "named vehicles": lambda p: replace(p, stops=tuple(replace(s, vehicles=None) for s in p.stops)),
    "breaks": lambda p: replace(p, vehicles=tuple(replace(v, breaks=()) for v in p.vehicles)),
    "longest duration": lambda p: replace(p, vehicles=tuple(replace(v, max_duration=999) for v in p.vehicles)),
    "range": lambda p: replace(p, vehicles=tuple(replace(v, max_distance=999) for v in p.vehicles)),
    "docks": lambda p: replace(p, hubs=tuple(replace(h, docks=None) for h in p.hubs)),
    "release": lambda p: replace(p, stops=tuple(replace(s, release=0) for s in p.stops)),
    "reloads at a hub with hours": lambda p: replace(p, hubs=tuple(replace(h, windows=((0, 999),)) for h in p.hubs)),
    "ways that are not there": lambda p: replace(p, distances=(WAYS,)),
    "a stop no one can serve": lambda p: replace(p, stops=tuple(FOUR)),
}


@pytest.mark.parametrize("name", RELAXED)
def test_a_rule_dropped_never_costs_more_and_each_rule_bites(name: str) -> None:
    """By enumeration: the tiny cases are such that their rule decides, so that a search that ignored it would fail."""
    assert best(RELAXED[name](RULES[name])) < best(RULES[name])


@given(st.integers(1, 9), st.sampled_from(["capacity", "optional stops", "deliveries and pickups"]))
@settings(max_examples=6, deadline=None)
def test_a_finer_unit_of_money_scales_the_cost(factor: int, name: str) -> None:
    given_case = RULES[name]
    finer = replace(
        given_case,
        vehicles=tuple(
            replace(v, fixed_cost=v.fixed_cost * factor, cost_per_distance=factor) for v in given_case.vehicles
        ),
        stops=tuple(replace(s, loss=None if s.loss is None else s.loss * factor) for s in given_case.stops),
    )
    found = solve(finer, rounds(2), use=(ORTOOLS,)).worth
    plain = solve(given_case, rounds(2), use=(ORTOOLS,)).worth
    assert found == (plain[0], plain[1] * factor)


NEGATIVE = WAYS.copy()
NEGATIVE[1, 2] = -4

BAD = {
    "no vehicle": (problem(FOUR, []), "vehicles"),
    "negative matrix": (problem(FOUR, TWO, distances=(NEGATIVE,)), "distances"),
    "matrix of fractions": (problem(FOUR, TWO, durations=(WAYS / 2,)), "durations"),
    "matrix that is not square": (problem(FOUR, TWO, distances=(WAYS[:3],)), "distances"),
    "no matrix": (problem(FOUR, TWO, distances=(), durations=()), "distances"),
    "bands out of order": (problem(FOUR, TWO, durations=(Bands((0, 9, 5), (WAYS,) * 3),)), "durations"),
    "a place that is not there": (problem([stop(9)], TWO), "stops"),
    "a window that closes before it opens": (problem([stop(1, windows=((9, 5),))], TWO), "stops"),
    "windows that overlap": (problem([stop(1, windows=((0, 9), (5, 12)))], TWO), "stops"),
    "no window": (problem([stop(1, windows=())], TWO), "stops"),
    "a negative load": (problem([stop(1, pickup=-1)], TWO), "stops"),
    "another number of loads": (problem([stop(1, delivery=(1, 2))], TWO), "stops"),
    "a vehicle that is not there": (problem([stop(1, vehicles=frozenset({7}))], TWO), "stops"),
    "a hub that is not there": (problem(FOUR, [vehicle(reloads=(2,))], (HUB,)), "vehicles"),
    "an end hub elsewhere": (problem(FOUR, [vehicle(end_hub=0)], (HUB,)), "vehicles"),
    "a shift that ends before it begins": (problem(FOUR, [vehicle(shift=(9, 2))]), "vehicles"),
    "breaks that overlap": (problem(FOUR, [vehicle(breaks=(Break(0, 9, 5), Break(10, 20, 5)))]), "vehicles"),
    "a break that ends before it begins": (problem(FOUR, [vehicle(breaks=(Break(9, 2, 5),))]), "vehicles"),
    "a profile that is not there": (problem(FOUR, [vehicle(profile=3)]), "vehicles"),
    "vehicles of other dimensions": (problem(FOUR, [vehicle(), vehicle(capacity=(1, 2))]), "vehicles"),
    "a hub without a dock": (problem(FOUR, TWO, (replace(HUB, docks=0),)), "hubs"),
    "a figure too large": (problem(FOUR, [vehicle(fixed_cost=2**60)]), "vehicles"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_problem_that_contradicts_itself_is_refused(name: str) -> None:
    bad, table = BAD[name]
    with pytest.raises(InputError) as refused:
        check(bad)
    assert table in {finding.table for finding in refused.value.findings}
    assert all(finding.rule and finding.remedy for finding in refused.value.findings)


def test_all_findings_are_told_at_once() -> None:
    with pytest.raises(InputError) as refused:
        check(problem([stop(9), stop(1, windows=()), stop(2, pickup=-1)], [vehicle(shift=(9, 2))]))
    assert len(refused.value.findings) == 4


def test_one_impossible_stop_does_not_empty_the_plan() -> None:
    """A stop that no way leads to is left out, all others are served."""
    ways = WAYS.copy()
    ways[:, 1] = NO_WAY
    cut_off = problem(FOUR, TWO, distances=(ways,))
    for use in (ORTOOLS, PYVRP):
        found = solve(cut_off, rounds(1), use=(use,))
        assert found.solution.left_out == (0,)


def test_first_plans_serve_three_dimensions_skills_and_trips() -> None:
    """A larger case with all of them has a plan from the constructions alone."""
    large = town(60, seed=2)
    held = Best(large)
    ortools_first.first_plan(large, rounds(0), held, admitted(large))
    assert held.worth[0] == 0


def test_a_large_problem_is_planned_piece_by_piece_and_repeats_itself() -> None:
    """Above the size that is constructed as a whole, with windows, skills and reloads: all served, each time alike."""
    large = town(ortools_first.WHOLE + 10, seed=3)
    plans = []
    for _ in range(2):
        held = Best(large)
        ortools_first.first_plan(large, rounds(0), held, admitted(large), seed=4)
        plans.append(held)
    assert plans[0].worth[0] == 0
    assert plans[0].solution == plans[1].solution


def backhauls(stops: int) -> Problem:
    """Random stops, half of them picked up from. No way leads from the start to a pickup, nor from a pickup to a
    delivery: each tour delivers first."""
    random = np.random.default_rng(7)
    points = random.integers(0, 1000, (stops + 1, 2))
    ways = np.abs(points[:, None] - points[None]).sum(axis=2)
    picks = np.arange(stops + 1) > stops // 2
    home = ways[:, 0].copy()
    ways[np.ix_(picks, ~picks)] = NO_WAY
    ways[0, picks] = NO_WAY
    ways[:, 0] = home
    visits = [stop(k + 1, pickup=int(picks[k + 1]), delivery=(int(not picks[k + 1]),)) for k in range(stops)]
    fleet = [vehicle(f"v{k}", capacity=(6,), shift=(0, FOREVER)) for k in range(stops // 8)]
    return problem(visits, fleet, distances=(ways,), durations=(ways,))


def test_constructions_see_likely_costs_where_there_is_no_way() -> None:
    """A forbidden way costs what the way back does, so that no construction hurries to avoid it; it stays forbidden."""
    given_case = backhauls(40)
    everyone = np.ones((40, len(given_case.vehicles)), dtype=bool)
    model = RoutingModel(given_case, range(40), everyone, may_drop=True)
    model.routing.CloseModel()
    ways = given_case.distances[0]
    cost_of = model.routing.GetArcCostForVehicle
    assert ways[40, 1] == NO_WAY
    assert cost_of(39, 0, 0) == cost_of(0, 39, 0) == ways[1, 40]
    assert not model.routing.NextVar(39).Contains(0)
    assert model.routing.NextVar(0).Contains(39)
    held = Best(given_case)
    ortools_first.first_plan(given_case, rounds(0), held, everyone)
    assert held.worth[0] == 0


def test_parts_take_turns_until_each_stop_was_in_one() -> None:
    """No stop begins a second part before every stop was in a first; a stop that must be visited and is out may."""
    four = problem(FOUR, TWO)
    turns = Turns(range(4), Random(1))
    served = Solution.of(four, [Route(0, ((0, 1),)), Route(1, ((2, 3),))])
    begun = []
    for _ in range(4):
        begun.append(turns.next(four, served))
        turns.taken([begun[-1]])
    assert sorted(begun) == [0, 1, 2, 3]
    waiting = Solution.of(four, [Route(0, ((0, 1),))])
    turns.taken([2, 3])
    assert {turns.next(four, waiting) for _ in range(40)} >= {2, 3}


def test_smaller_stops_make_room_for_a_bulky_one() -> None:
    """Both vans are half full of small stops: one that takes a whole van fits in neither until they move together."""
    small = [stop(k, pickup=1, windows=((0, 150),)) for k in (1, 2, 3, 4)]
    whole = problem([*small, stop(5, pickup=4)], [vehicle("a", capacity=(4,)), vehicle("b", capacity=(4,))])
    halves = Solution.of(whole, [Route(0, ((0, 1),)), Route(1, ((2, 3),))])
    assert insert(whole, halves, [4], admitted(whole)).left_out == (4,)
    plan = squeeze(whole, halves, admitted(whole))
    assert plan.left_out == ()
    assert not isinstance(cost(whole, plan), Violation)
