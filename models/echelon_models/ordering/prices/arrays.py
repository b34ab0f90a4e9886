"""The completed case as arrays: places, offers and limit rows, over periods. Made once; the formulation never sees it.

Letters: place p (an item at a site), offer o, period t, limit row r; P, O, T, R their numbers. R itself stands for
"no such limit": arrays over limit rows are padded with a zero there.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import pandas as pd

from echelon.tables import Frames
from echelon_models.ordering.complete import DAYS_OF_YEAR
from echelon_models.ordering.schema import OrderingOptions

NONE, BACKORDER, LOST = 0, 1, 2  # shortage policies
POLICY = {"none": NONE, "backorder": BACKORDER, "lost": LOST}
PLACE = ["item", "site"]
OFFER = ["supplier", "item", "site"]


@dataclass(frozen=True)
class Limits:
    """The limit rows. `keys` has the columns limit, name, unit, t; capacity in their units; excess_cost in money per
    unit, infinite where hard; `carried_to[r]` is the row to which what r leaves is carried over, R where to none."""

    keys: pd.DataFrame
    capacity: np.ndarray
    excess_cost: np.ndarray
    carried_to: np.ndarray
    at_peak: np.ndarray  # True for storage rows that count opening stock and arrivals

    def __len__(self) -> int:
        return len(self.capacity)

    @property
    def kind(self) -> np.ndarray:
        """(R,) a number for each kind of limit and unit."""
        return self.keys.groupby(["limit", "unit"]).ngroup().to_numpy(dtype=int)


@dataclass(frozen=True)
class Places:
    """What holds at each place: (P,) or (P, T) arrays, units and money. `supply` is what comes anyway: opening stock,
    firm receipts, pinned orders. `storage` is the limit row of its site."""

    demand: np.ndarray
    supply: np.ndarray
    holding: np.ndarray  # money/unit in stock at the end of t
    safety: np.ndarray
    shortfall_cost: np.ndarray
    policy: np.ndarray
    backorder_cost: np.ndarray
    lost_cost: np.ndarray
    final_value: np.ndarray
    volume: np.ndarray
    storage: np.ndarray  # (P, T) limit rows

    def __len__(self) -> int:
        return len(self.policy)

    def take(self, chosen: np.ndarray) -> Places:
        return Places(**{f.name: getattr(self, f.name)[chosen] for f in fields(self)})


@dataclass(frozen=True)
class Offers:
    """The offers, sorted by place, and the limit rows that an order in t draws on: (O,) or (O, T) arrays."""

    place: np.ndarray
    line_cost: np.ndarray
    lead_time: np.ndarray
    minimum: np.ndarray
    multiple: np.ndarray  # NaN where any quantity may be ordered
    maximum: np.ndarray  # infinite where there is none
    hours_per_order: np.ndarray
    hours_per_unit: np.ndarray
    open: np.ndarray  # (O, T) True where the plan may order and it arrives in time
    department: np.ndarray  # (O, T) limit rows
    company: np.ndarray
    units: np.ndarray
    hours: np.ndarray

    def __len__(self) -> int:
        return len(self.place)

    def take(self, chosen: np.ndarray) -> Offers:
        return Offers(**{f.name: getattr(self, f.name)[chosen] for f in fields(self)})


@dataclass(frozen=True)
class Pieces:
    """The price ranges of the offers, sorted by offer: a line of q >= low units costs price·q + fixed. A dearer range
    may be used beyond its end: a cheaper one holds there, so nothing is gained by it."""

    offer: np.ndarray
    low: np.ndarray
    price: np.ndarray
    fixed: np.ndarray

    def take(self, chosen: np.ndarray) -> Pieces:
        return Pieces(**{f.name: getattr(self, f.name)[chosen] for f in fields(self)})


@dataclass(frozen=True)
class CaseArrays:
    """One case; `place_names` (item, site) and `offer_names` (supplier, item, site) name places and offers."""

    horizon: int
    limits: Limits
    places: Places
    offers: Offers
    pieces: Pieces
    place_names: pd.DataFrame
    offer_names: pd.DataFrame
    department: np.ndarray  # (P,) code of the department

    def take(self, places: np.ndarray) -> CaseArrays:
        """The case with only these places (ascending)."""
        kept, offer, (offers, pieces) = pick(self.places, self.offers, self.pieces, places)
        return replace(
            self,
            places=kept,
            offers=offers,
            pieces=pieces,
            place_names=self.place_names.iloc[places].reset_index(drop=True),
            offer_names=self.offer_names.iloc[offer].reset_index(drop=True),
            department=self.department[places],
        )


def pick(
    places: Places, offers: Offers, pieces: Pieces, chosen: np.ndarray
) -> tuple[Places, np.ndarray, tuple[Offers, Pieces]]:
    """The chosen places (ascending), which offers are theirs, and these offers and price ranges, numbered anew."""
    place = np.full(len(places), -1)
    place[chosen] = np.arange(len(chosen))
    offer = np.flatnonzero(place[offers.place] >= 0)
    number = np.full(len(offers), -1)
    number[offer] = np.arange(len(offer))
    own = offers.take(offer)
    ranges = pieces.take(np.flatnonzero(number[pieces.offer] >= 0))
    renumbered = replace(own, place=place[own.place]), replace(ranges, offer=number[ranges.offer])
    return places.take(chosen), offer, renumbered


def read_arrays(full: Frames, options: OrderingOptions) -> CaseArrays:
    """The completed tables as arrays."""
    horizon = len(full["periods"])
    names = full["item_sites"][PLACE].reset_index(drop=True)
    position = pd.MultiIndex.from_frame(names)
    limits = read_limits(full)
    rows = _Rows(limits.keys, horizon)
    offers = full["offers"].assign(place=position.get_indexer(pd.MultiIndex.from_frame(full["offers"][PLACE])))
    offers = offers.sort_values(["place", "supplier"]).reset_index(drop=True)
    places = _places(full, options, position, rows, horizon)
    departments = full["item_sites"]["department"]
    return CaseArrays(
        horizon=horizon,
        limits=limits,
        places=places,
        offers=_offers(full, options, offers, departments.to_numpy(), rows, horizon),
        pieces=_pieces(full["price_breaks"], offers),
        place_names=names,
        offer_names=offers[OFFER],
        department=pd.factorize(departments)[0],
    )


class _Rows:
    """Which limit row stands for a kind, name and unit in each period: (names, T) arrays."""

    def __init__(self, keys: pd.DataFrame, horizon: int):
        self.horizon, self.none = horizon, len(keys)
        self.found = {
            key: np.full(horizon, self.none, dtype=np.int32)
            for key in set(zip(keys["limit"], keys["name"], keys["unit"], strict=True))
        }
        for r, (kind, name, unit, t) in enumerate(keys.itertuples(index=False)):
            self.found[kind, name, unit][t] = r

    def of(self, kind: str, names: np.ndarray, unit: str) -> np.ndarray:
        """(len(names), T) limit rows."""
        codes, distinct = pd.factorize(names)
        nothing = np.full(self.horizon, self.none, dtype=np.int32)
        return np.array([self.found.get((kind, name, unit), nothing) for name in distinct]).reshape(-1, self.horizon)[
            codes
        ]


def read_limits(full: Frames) -> Limits:
    """The limit rows of the completed tables."""
    budgets, storage, capacity = full["budgets"], full["storage"], full["supplier_capacity"]
    tables = [
        budgets.assign(limit="budget", name=budgets["department"], unit="money", capacity=budgets["amount"]),
        storage.assign(limit="storage", name=storage["site"], unit="m³"),
        capacity.assign(limit="supplier capacity", name=capacity["supplier"], unit=capacity["measure"]),
    ]
    columns = ["limit", "name", "unit", "t", "capacity", "excess_cost", "hard", "carry_over", "counts"]
    rows = pd.concat([table.reindex(columns=columns) for table in tables], ignore_index=True)
    keys = rows[["limit", "name", "unit", "t"]].astype({"t": int})
    position = {key: r for r, key in enumerate(keys.itertuples(index=False, name=None))}
    carries = rows["carry_over"].fillna(value=False).astype(bool)
    carried_to = [
        position.get((kind, name, unit, t + 1), len(rows)) if carry else len(rows)
        for (kind, name, unit, t), carry in zip(position, carries, strict=True)
    ]
    return Limits(
        keys=keys,
        capacity=rows["capacity"].to_numpy(dtype=float),
        excess_cost=np.where(rows["hard"].astype(bool), np.inf, rows["excess_cost"].astype(float)),
        carried_to=np.array(carried_to, dtype=int),
        at_peak=(rows["counts"] == "peak").to_numpy(),
    )


def _places(full: Frames, options: OrderingOptions, position: pd.MultiIndex, rows: _Rows, horizon: int) -> Places:
    terms = full["item_sites"]
    days = full["periods"]["days"].to_numpy()
    supply = _spread(full["receipts"], position, horizon)
    supply[:, :1] += _spread(full["stock"].assign(t=0), position, horizon)[:, :1]
    leads = full["offers"].set_index(OFFER)["lead_time"]
    pins = full["pinned_orders"]
    pins = pins.assign(t=pins["t"] + leads.reindex(pd.MultiIndex.from_frame(pins[OFFER])).to_numpy())
    supply += _spread(pins[pins["t"] < horizon], position, horizon)
    safety = full["safety_stock"]
    return Places(
        demand=_spread(full["demand"], position, horizon),
        supply=supply,
        holding=np.outer(terms["value"] * terms["holding_rate"], days / DAYS_OF_YEAR),
        safety=_spread(safety, position, horizon),
        shortfall_cost=_spread(safety.assign(quantity=safety["shortfall_cost"]), position, horizon),
        policy=terms["policy"].map(POLICY).to_numpy(dtype=np.int8),
        backorder_cost=terms["backorder_cost"].to_numpy(dtype=float),
        lost_cost=terms["lost_cost"].to_numpy(dtype=float),
        final_value=terms["final_value"].to_numpy(dtype=float),
        volume=terms["volume"].to_numpy(dtype=float),
        storage=rows.of("storage", terms["site"].to_numpy(), "m³"),
    )


def _spread(table: pd.DataFrame, position: pd.MultiIndex, horizon: int) -> np.ndarray:
    """(P, T): the quantities of a table by place and period."""
    place = position.get_indexer(pd.MultiIndex.from_frame(table[PLACE]))
    flat = place * horizon + table["t"].to_numpy(dtype=int)
    size = len(position) * horizon
    return np.bincount(flat, table["quantity"].to_numpy(dtype=float), size).astype(float).reshape(-1, horizon)


def _offers(
    full: Frames, options: OrderingOptions, offers: pd.DataFrame, departments: np.ndarray, rows: _Rows, horizon: int
) -> Offers:
    lead = offers["lead_time"].to_numpy(dtype=int)
    times = np.arange(horizon)
    may = (times >= options.frozen_periods) & (times + lead[:, None] < horizon)
    pins = full["pinned_orders"]
    pinned = pd.MultiIndex.from_frame(offers[OFFER]).get_indexer(pd.MultiIndex.from_frame(pins[OFFER]))
    may[pinned, pins["t"].to_numpy(dtype=int)] = False
    may &= ~_closed(full, offers, horizon)
    supplier, department = offers["supplier"].to_numpy(), departments[offers["place"]]
    return Offers(
        place=offers["place"].to_numpy(),
        line_cost=offers["line_cost"].to_numpy(dtype=float),
        lead_time=lead,
        minimum=offers["minimum"].to_numpy(dtype=float),
        multiple=offers["multiple"].to_numpy(dtype=float),
        maximum=offers["maximum"].fillna(np.inf).to_numpy(dtype=float),
        hours_per_order=offers["hours_per_order"].to_numpy(dtype=float),
        hours_per_unit=offers["hours_per_unit"].to_numpy(dtype=float),
        open=may,
        department=np.where((department == "")[:, None], rows.none, rows.of("budget", department, "money")),
        company=rows.of("budget", np.full(len(offers), ""), "money"),
        units=rows.of("supplier capacity", supplier, "units"),
        hours=rows.of("supplier capacity", supplier, "hours"),
    )


def _closed(full: Frames, offers: pd.DataFrame, horizon: int) -> np.ndarray:
    """(O, T) True where a hard capacity of 0 lets the supplier take on nothing that the offer would ask of it."""
    shut = full["supplier_capacity"]
    shut = shut[shut["hard"] & (shut["capacity"] <= 0)]
    takes_hours = (offers["hours_per_unit"] > 0) | (offers["hours_per_order"] > 0)
    closed = np.zeros((len(offers), horizon), dtype=bool)
    for measure, asks in (("units", np.ones(len(offers), dtype=bool)), ("hours", takes_hours.to_numpy())):
        rows = shut[shut["measure"] == measure]
        for supplier, t in zip(rows["supplier"], rows["t"], strict=True):
            closed[asks & (offers["supplier"] == supplier).to_numpy(), t] = True
    return closed


def _pieces(breaks: pd.DataFrame, offers: pd.DataFrame) -> Pieces:
    """The base price of each offer and its breaks. Incremental: the units below a break cost (price before - price)
    more than at the price of the break, which makes them a fixed cost; the cheapest range is the right one anywhere."""
    number = pd.MultiIndex.from_frame(offers[OFFER])
    base = pd.DataFrame({"offer": np.arange(len(offers)), "low": 0.0, "price": offers["price"], "incremental": False})
    steps = pd.DataFrame(
        {
            "offer": number.get_indexer(pd.MultiIndex.from_frame(breaks[OFFER])),
            "low": breaks["from_quantity"].to_numpy(dtype=float),
            "price": breaks["price"].to_numpy(dtype=float),
            "incremental": (breaks["kind"] == "incremental").to_numpy(dtype=bool),
        }
    )
    pieces = pd.concat([base, steps], ignore_index=True).sort_values(["offer", "low"], ignore_index=True)
    fall = (pieces.groupby("offer")["price"].shift() - pieces["price"]).fillna(0.0)
    beyond = (fall * pieces["low"]).where(pieces["incremental"], 0.0)
    return Pieces(
        offer=pieces["offer"].to_numpy(),
        low=pieces["low"].where(~pieces["incremental"], 0.0).to_numpy(),
        price=pieces["price"].to_numpy(dtype=float),
        fixed=beyond.groupby(pieces["offer"]).cumsum().to_numpy(dtype=float),
    )
