"""Cut a case into units that only the shared limits join, into bunches of units, and into shards of bunches."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from echelon.executor import Shards
from echelon.tables import Frames
from echelon_models.ordering.complete import DAYS_OF_YEAR
from echelon_models.ordering.plan import only
from echelon_models.ordering.prices.arrays import CaseArrays, read_arrays, read_limits
from echelon_models.ordering.prices.levels import Ladder, bends, ladder, suits
from echelon_models.ordering.prices.shard import OrderLines, Shard
from echelon_models.ordering.prices.small import SmallPrograms
from echelon_models.ordering.schema import OrderingOptions

BUNCHES = 100  # the cuts of one round, where the units are more than
FEW = 300  # which are bunches of one each


@dataclass(frozen=True)
class Division:
    """A case in units: the places that are planned on their own (`whole` is all of them as one shard), then `items`,
    each planned as a small programme. `bunch` of each unit; `shards`, and the units of each in the order it answers."""

    arrays: CaseArrays
    whole: Shard
    items: list[str]
    bunch: np.ndarray
    bunches: int
    shards: Shards
    units_of: list[np.ndarray]

    @property
    def units(self) -> int:
        return len(self.bunch)


def divide(full: Frames, options: OrderingOptions, count: int) -> Division:
    """The case in units, with the order costs of suppliers split and hard limits at a high price; in `count` shards,
    or fewer."""
    full = split_order_costs(full)
    everything = replace(read_arrays(full, options), limits=read_limits(soften(full)))
    ladders = _ladders(full, everything)
    item = everything.place_names["item"]
    joined = item.isin(_joined(full) | set(item[[found is None for found in ladders]]))
    alone = np.flatnonzero(~joined)
    case = everything.take(alone)
    items = sorted(set(item[joined]))
    bunch, bunches = _bunches(case, items)
    longer = {p: found for p, number in enumerate(alone.tolist()) if (found := ladders[number]) and not found.plain}
    whole = _whole(case, full, longer, bunch[: len(case.places)], bunches)
    shards, units_of = [], []
    for first, last in _spans(bunch, bunches, count):
        own = (bunch >= first) & (bunch < last)
        places, programs = np.flatnonzero(own[: len(case.places)]), np.flatnonzero(own[len(case.places) :])
        names = [items[k] for k in programs.tolist()]
        small = SmallPrograms(only(full, names), options, _limit_keys(case), names) if names else None
        shards.append(whole.part(places, small, bunch[own]))
        units_of.append(np.concatenate([places, len(case.places) + programs]))
    return Division(case, whole, items, bunch, bunches, Shards(shards), units_of)


def soften(full: Frames) -> Frames:
    """The case with every hard limit soft, at a price so high that it is exceeded only where it must be: what could be
    worth it is an extra line and ten times an item's value, or lost sale, or stock through the whole horizon."""
    offers, places = full["offers"], full["item_sites"]
    years = full["periods"]["days"].sum() / DAYS_OF_YEAR
    worth = places["value"] * (10.0 + places["holding_rate"] * years) + places["lost_cost"] + places["backorder_cost"]
    most = (offers["line_cost"], full["suppliers"]["order_cost"], 10.0 * worth)
    dearest = sum(float(column.to_numpy(dtype=float).max(initial=0.0)) for column in most)
    a_unit = {"money": offers["price"], "m³": places["volume"], "units": None, "hours": offers["hours_per_unit"]}

    def price(unit: str) -> float:
        uses = a_unit[unit]
        return dearest / (1.0 if uses is None or not (uses > 0).any() else float(uses[uses > 0].median()))

    softened = {}
    for name in ("budgets", "storage", "supplier_capacity"):
        rows = full[name]
        unit = rows["measure"] if "measure" in rows else pd.Series("money" if name == "budgets" else "m³", rows.index)
        penalty = unit.map({u: price(u) for u in unit.unique()}).astype(float)
        softened[name] = rows.assign(excess_cost=rows["excess_cost"].where(~rows["hard"], penalty), hard=False)
    return full | softened


def split_order_costs(full: Frames) -> Frames:
    """The case with each supplier's cost of an order spread evenly over the offers that may share it (those of one
    supplier for one site), as a cost of their lines. No plan is dearer in it than in the case itself: n lines of
    n offers pay as much as one order."""
    offers = full["offers"]
    cost = offers["supplier"].map(full["suppliers"].set_index("supplier")["order_cost"]).astype(float)
    sharing = offers.groupby(["supplier", "site"])["item"].transform("size")
    return full | {
        "offers": offers.assign(line_cost=offers["line_cost"] + cost.fillna(0.0) / sharing),
        "suppliers": full["suppliers"].assign(order_cost=0.0),
    }


def _joined(full: Frames) -> set[str]:
    """Items whose places are not each on their own, or are under a rule over the whole horizon."""
    terms = full["item_sites"]
    filled = terms[(terms["fill_rate"] > 0) & (terms["policy"] != "none")]
    return {*full["lanes"]["item"], *full["shares"]["item"], *filled["item"]}


def _ladders(full: Frames, case: CaseArrays) -> list[Ladder | None]:
    """The candidate levels of each place; None where there is no short list of them."""
    first_offer = np.searchsorted(case.offers.place, np.arange(len(case.places) + 1))
    first_piece = np.searchsorted(case.pieces.offer, np.arange(len(case.offers) + 1))
    bent, fits = bends(case.places), suits(case)
    found: list[Ladder | None] = []
    for p, policy in enumerate(case.places.policy.tolist()):
        start, stop = first_offer[p], first_offer[p + 1]
        ranges = np.arange(first_piece[start], first_piece[stop])
        own = case.offers.take(np.arange(start, stop)), case.pieces.take(ranges)
        found.append(ladder(bent[p], *own, policy, case.horizon) if fits[p] else None)
    return found


def _bunches(case: CaseArrays, items: list[str]) -> tuple[np.ndarray, int]:
    """The bunch of each unit, and their number. Units that draw on the same limits go together: cuts are sparse so."""
    none = len(case.limits)
    supplier = np.full(len(case.places), -1)
    supplier[case.offers.place[::-1]] = pd.factorize(case.offer_names["supplier"])[0][::-1]
    order = np.lexsort((supplier, case.places.storage[:, 0] if none else supplier, case.department))
    ranked = np.concatenate([order, len(case.places) + np.arange(len(items))])
    count = len(ranked) if len(ranked) <= FEW else BUNCHES
    bunch = np.empty(len(ranked), dtype=int)
    bunch[ranked] = np.arange(len(ranked)) * count // max(len(ranked), 1)
    return bunch, count


def _limit_keys(case: CaseArrays) -> list[tuple[str, str, str, int]]:
    return list(case.limits.keys.itertuples(index=False, name=None))


def _spans(bunch: np.ndarray, bunches: int, count: int) -> list[tuple[int, int]]:
    """Bunches first..last - 1 of each shard, about as many units in each."""
    ends = np.searchsorted(np.bincount(bunch, minlength=bunches).cumsum(), len(bunch) * np.arange(1, count) / count)
    edges = [0, *ends.tolist(), bunches]
    return [(first, last) for first, last in itertools.pairwise(edges) if last > first]


def _whole(case: CaseArrays, full: Frames, ladders: dict[int, Ladder], bunch: np.ndarray, bunches: int) -> Shard:
    """All places that are planned on their own as one shard."""
    pins, names = full["pinned_orders"], case.offer_names
    offer = pd.MultiIndex.from_frame(names).get_indexer(pd.MultiIndex.from_frame(pins[list(names)]))
    known = (offer >= 0) & (pins["quantity"] > 0).to_numpy()
    t, quantity = pins["t"].to_numpy(dtype=int), pins["quantity"].to_numpy(dtype=float)
    return Shard(
        places=case.places,
        offers=case.offers,
        pieces=case.pieces,
        offer_number=np.arange(len(case.offers)),
        pinned=OrderLines(offer[known], t[known], quantity[known]),
        ladders=ladders,
        small=None,
        bunch=bunch,
        bunches=bunches,
        at_peak=case.limits.at_peak,
    )
