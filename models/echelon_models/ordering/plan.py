"""The plan as tables: what was decided, and all that follows from it by the completed tables alone.

A solve method decides what to order and send, and what demand is lost or waits (`Decisions`). What stock that leaves,
what it costs, which limits it fills and why each line is placed is worked out here, whichever method it was.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from echelon.tables import Frames
from echelon_models.ordering.complete import DAYS_OF_YEAR
from echelon_models.ordering.limits import DIGITS, calendar, limits_of, uses
from echelon_models.ordering.schema import RESULTS

NEAR = 1e-6  # a quantity this close below a price break reaches it; stock this close to what it should be is enough
CELLS = 4_000_000  # lines times periods that are looked at together
OFFER = ["supplier", "item", "site"]
PLACE = ["item", "site"]
LANE = ["from_site", "to_site", "item"]


@dataclass(frozen=True)
class Decisions:
    """What a solve method decides. Each frame has the columns named here, `t` (the position of the period; of an order
    when it is placed, of a transfer when it is sent) and `quantity`, rounded to `DIGITS` and more than 0."""

    orders: pd.DataFrame  # supplier, item, site
    transfers: pd.DataFrame  # from_site, to_site, item
    lost: pd.DataFrame  # item, site
    waiting: pd.DataFrame  # item, site

    @property
    def frames(self) -> tuple[pd.DataFrame, ...]:
        return self.orders, self.transfers, self.lost, self.waiting

    def only(self, items: Collection[str]) -> Decisions:
        """Those on these items."""
        return Decisions(*(frame[frame["item"].isin(items)] for frame in self.frames))

    def without(self, items: Collection[str]) -> Decisions:
        """Those on all other items."""
        return Decisions(*(frame[~frame["item"].isin(items)] for frame in self.frames))

    @classmethod
    def joined(cls, *parts: Decisions) -> Decisions:
        """The decisions of all parts."""
        return cls(*(pd.concat(frames, ignore_index=True) for frames in zip(*(p.frames for p in parts), strict=True)))


def read_plan(full: Frames, plan: Frames) -> Decisions:
    """The decisions behind a plan's result tables."""
    inventory, position = plan["inventory"], full["periods"].set_index("period")["t"]

    def decided(frame: pd.DataFrame, names: list[str], column: str = "quantity") -> pd.DataFrame:
        rows = frame[frame[column] > 0]
        return (
            rows[names]
            .assign(t=rows["period"].map(position).astype("int64"), quantity=rows[column])
            .reset_index(drop=True)
        )

    return Decisions(
        orders=decided(plan["orders"], OFFER),
        transfers=decided(plan["transfers"], LANE),
        lost=decided(inventory, PLACE, "lost"),
        waiting=decided(inventory, PLACE, "waiting"),
    )


def quantities(names: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> pd.DataFrame:
    """A frame of `Decisions` from rows (*names, t, quantity): quantities rounded, and only those above 0."""
    rounded = ((*row[:-1], round(row[-1], DIGITS)) for row in rows)
    frame = pd.DataFrame([row for row in rounded if row[-1] > 0], columns=[*names, "t", "quantity"])
    return frame.astype(dict.fromkeys(names, "str") | {"t": "int64", "quantity": "float64"})


def only(full: Frames, items: Collection[str]) -> Frames:
    """The completed tables with only these items."""
    return {name: frame[frame["item"].isin(items)] if "item" in frame else frame for name, frame in full.items()}


def plan_tables(full: Frames, decisions: Decisions, prices: pd.DataFrame | None = None) -> Frames:
    """The result tables that follow from the decisions; those that explain them are left empty. `prices` has limit,
    name, unit, t and price; where it has no row, the price is 0."""
    lines = _lines(full, decisions.orders)
    moves = _moves(full, decisions.transfers)
    stock = _stock(full, decisions, lines, moves)
    plan = {
        "orders": lines.assign(reason=_reasons(full, lines, stock)),
        "transfers": moves,
        "inventory": _inventory(full, stock),
        "limits": limits_of(full, lines, stock, prices),
    }
    return {t.name: t.typed(plan[t.name]) if t.name in plan else t.empty() for t in RESULTS}


def total_cost(full: Frames, plan: Frames) -> float:
    """What a plan costs, money: the objective of the model, from the result tables. Infinite where it exceeds a hard
    limit."""
    orders, stock = plan["orders"], plan["inventory"].merge(full["item_sites"], on=PLACE, suffixes=("", "_place"))
    stock = stock.merge(full["periods"][["period", "t", "days"]], on="period")
    stock = stock.merge(full["safety_stock"][[*PLACE, "t", "quantity", "shortfall_cost"]], on=[*PLACE, "t"], how="left")
    last = stock["t"] == len(full["periods"]) - 1
    offers = full["offers"].set_index(OFFER)["line_cost"]
    placed = orders[["supplier", "site", "period"]].drop_duplicates()
    missing = (stock["quantity"] - stock["closing"]).clip(lower=0.0) * stock["shortfall_cost"]
    return float(
        orders["amount"].sum()
        + offers.reindex(pd.MultiIndex.from_frame(orders[OFFER])).sum()
        + placed["supplier"].map(full["suppliers"].set_index("supplier")["order_cost"]).astype(float).sum()
        + plan["transfers"]["cost"].sum()
        + (stock["value_place"] * stock["holding_rate"] * stock["days"] / DAYS_OF_YEAR * stock["closing"]).sum()
        - (stock["final_value"] * stock["closing"])[last].sum()
        + (stock["backorder_cost"] * stock["waiting"]).sum()
        + (stock["lost_cost"] * (stock["lost"] + stock["waiting"].where(last, 0.0))).sum()
        + missing.sum()
        + _below_fill_rates(full, stock)
        + _excess(full, plan["limits"])
    )


def _below_fill_rates(full: Frames, stock: pd.DataFrame) -> float:
    """What missing fill rates costs, money: missed demand beyond what the rate allows, over the horizon."""
    terms = full["item_sites"].set_index(PLACE)
    missed = stock.groupby(PLACE)[["short", "demand"]].sum().reindex(terms.index)
    below = (missed["short"] - (1 - terms["fill_rate"]) * missed["demand"]).clip(lower=0.0)
    counts = (terms["fill_rate"] > 0) & ~terms["fill_rate_hard"]
    return float((below * terms["fill_rate_cost"])[counts].sum())


def _excess(full: Frames, limits: pd.DataFrame) -> float:
    """What exceeding the limits costs, money."""
    over = limits["excess"].to_numpy()
    price = np.concatenate([full[name]["excess_cost"] for name in ("budgets", "storage", "supplier_capacity")])
    hard = np.concatenate([full[name]["hard"] for name in ("budgets", "storage", "supplier_capacity")])
    too_far = over > 10 * NEAR + NEAR * limits["capacity"].to_numpy()  # what rounding quantities may add up to
    return float("inf") if too_far[hard.astype(bool)].any() else float((price * over)[~hard.astype(bool)].sum())


def _lines(full: Frames, orders: pd.DataFrame) -> pd.DataFrame:
    """The order lines by period, with what their offers make of them."""
    orders = orders.sort_values(["t", *OFFER], ignore_index=True)
    offer, place = _rows_of(orders, full["offers"], OFFER), _rows_of(orders, full["item_sites"], PLACE)
    terms = full["offers"].iloc[offer].reset_index(drop=True)
    quantity, arrival = orders["quantity"], orders["t"] + terms["lead_time"]
    reached = _breaks_reached(full, offer, quantity)
    amount = reached["price"].fillna(terms["price"]) * quantity + reached["fixed"].fillna(0.0)
    return orders.assign(
        period=calendar(full, "period", orders["t"]),
        order_date=calendar(full, "start", orders["t"]),
        arrival_date=calendar(full, "start", arrival),
        department=full["item_sites"]["department"].take(place).array,
        amount=amount,
        unit_price=amount / quantity,
        pinned=_rows_of(orders, full["pinned_orders"], [*OFFER, "t"]) >= 0,
        arrival=arrival,
        place=place,
        price_break=reached["from_quantity"],
        hours=terms["hours_per_order"] + terms["hours_per_unit"] * quantity,
    )


def _breaks_reached(full: Frames, offer: np.ndarray, quantity: pd.Series) -> pd.DataFrame:
    """The highest price break that each line reaches: from_quantity, price, and what it costs besides price·quantity
    (fixed); blank where it reaches none.

    all_units: nothing besides; incremental: the sum of (price before - price from it on)·from_quantity over the breaks
    reached.
    """
    breaks = full["price_breaks"].assign(offer=_rows_of(full["price_breaks"], full["offers"], OFFER))
    breaks = breaks.sort_values(["offer", "from_quantity"], ignore_index=True)
    base = pd.Series(full["offers"]["price"].to_numpy()[breaks["offer"]])
    fall = breaks.groupby("offer")["price"].shift().fillna(base) - breaks["price"]
    besides = (fall * breaks["from_quantity"]).where(breaks["kind"] == "incremental", 0.0)
    breaks["fixed"] = besides.groupby(breaks["offer"]).cumsum()
    lines = pd.DataFrame({"line": np.arange(len(offer)), "offer": offer, "quantity": quantity + NEAR})
    reached = pd.merge_asof(
        lines.sort_values("quantity"),
        breaks[["offer", "from_quantity", "price", "fixed"]].sort_values("from_quantity"),
        left_on="quantity",
        right_on="from_quantity",
        by="offer",
    )
    return reached.sort_values("line", ignore_index=True)


def _moves(full: Frames, transfers: pd.DataFrame) -> pd.DataFrame:
    """The transfers by period, with what their lanes make of them."""
    transfers = transfers.sort_values(["t", *LANE], ignore_index=True)
    terms = full["lanes"].iloc[_rows_of(transfers, full["lanes"], LANE)].reset_index(drop=True)
    arrival = transfers["t"] + terms["lead_time"]
    return transfers.assign(
        period=calendar(full, "period", transfers["t"]),
        send_date=calendar(full, "start", transfers["t"]),
        arrival_date=calendar(full, "start", arrival),
        cost=transfers["quantity"] * terms["cost"],
        arrival=arrival,
    )


def _stock(full: Frames, decisions: Decisions, lines: pd.DataFrame, moves: pd.DataFrame) -> dict[str, np.ndarray]:
    """Stock through the periods: each column of the inventory as an array, places by periods. `served` is what the
    balance leaves."""
    arrivals = _grid(full, lines, t="arrival") + _grid(full, full["receipts"])
    arrivals += _grid(full, moves, site="to_site", t="arrival")
    sent, demand = _grid(full, moves, site="from_site"), _grid(full, full["demand"])
    lost, waiting = _grid(full, decisions.lost), _grid(full, decisions.waiting)
    waited = np.hstack([np.zeros((len(waiting), 1)), waiting[:, :-1]])
    served = demand - lost + waited - waiting
    opening, closing = np.empty_like(demand), np.empty_like(demand)
    opening[:, 0] = _grid(full, full["stock"].assign(t=0))[:, 0]
    for t in range(demand.shape[1]):
        opening[:, t] = closing[:, t - 1] if t else opening[:, 0]
        left = opening[:, t] + arrivals[:, t] - sent[:, t] - served[:, t]
        closing[:, t] = np.maximum(left.round(DIGITS), 0.0)
    return {
        "opening": opening,
        "arrivals": arrivals,
        "sent": sent,
        "demand": demand,
        "served": served,
        "short": lost + np.maximum(waiting - waited, 0.0),
        "lost": lost,
        "waiting": waiting,
        "closing": closing,
    }


def _grid(full: Frames, frame: pd.DataFrame, site: str = "site", t: str = "t") -> np.ndarray:
    """Quantity added up by place (a row of `item_sites`) and period; what lies beyond the horizon is left out."""
    shape = len(full["item_sites"]), len(full["periods"])
    within = frame[frame[t] < shape[1]]
    place = _rows_of(within[["item", site]].set_axis(PLACE, axis=1), full["item_sites"], PLACE)
    cell = place * shape[1] + within[t].to_numpy()
    return np.bincount(cell, within["quantity"].to_numpy(), shape[0] * shape[1]).astype(float).reshape(shape)


def _inventory(full: Frames, stock: dict[str, np.ndarray]) -> pd.DataFrame:
    """The arrays of `_stock` as one row a place and period."""
    places, times = full["item_sites"], len(full["periods"])
    period = full["periods"]["period"].take(np.tile(np.arange(times), len(places)))
    names = {name: places[name].repeat(times).array for name in PLACE}
    value = stock["closing"] * places["value"].to_numpy()[:, None]
    return pd.DataFrame(
        {**names, "period": period.array, **{name: a.ravel() for name, a in stock.items()}, "value": value.ravel()}
    )


def limit_uses(full: Frames, decisions: Decisions) -> pd.DataFrame:
    """What the decisions use of each limit row: limit, name, unit, t, capacity (with what was carried over), use."""
    lines, moves = _lines(full, decisions.orders), _moves(full, decisions.transfers)
    return uses(full, lines, _stock(full, decisions, lines, moves))


def _reasons(full: Frames, lines: pd.DataFrame, stock: dict[str, np.ndarray]) -> np.ndarray:
    """Why each order line is placed now: what would happen at its place without it, all else as planned."""
    periods = full["periods"]["period"].tolist()
    end = len(periods)  # stands for "never"
    short, unsafe = _first_missed(full, lines, stock)
    texts = [f"without it short from {period}" for period in periods]
    texts += [f"without it below safety stock from {period}" for period in periods]
    texts += ["not needed for stock", "not needed for stock: minimum, multiple or share"]
    texts += ["arrives after the horizon", "pinned by an analyst"]
    plain = lines["price_break"].isna()
    cases = [lines["pinned"], lines["arrival"] >= end, short < end, unsafe < end, plain]
    text = np.select(cases, [2 * end + 3, 2 * end + 2, short, end + unsafe, 2 * end + 1], 2 * end)
    which, breaks = pd.factorize(lines["price_break"].where(text <= 2 * end))  # -1, the last, where there is none
    extras = [*(f"; price break at {quantity:g}" for quantity in breaks), ""]
    return np.array(texts, dtype=object)[text] + np.array(extras, dtype=object)[which]


def _first_missed(full: Frames, lines: pd.DataFrame, stock: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """For each line, the first period from its arrival on in which its place would be short, or below safety stock,
    without it; the number of periods where there is none."""
    free, safety = stock["closing"] - stock["waiting"], _grid(full, full["safety_stock"])
    times = np.arange(free.shape[1])
    short, unsafe = np.empty(len(lines), dtype=int), np.empty(len(lines), dtype=int)
    step = CELLS // len(times) + 1
    for start in range(0, len(lines), step):
        part = lines.iloc[start : start + step]
        place, after = part["place"].to_numpy(), times >= part["arrival"].to_numpy()[:, None]
        left = free[place] - part["quantity"].to_numpy()[:, None] + NEAR
        short[start : start + step] = _first(after & (left < 0.0))
        unsafe[start : start + step] = _first(after & (left < safety[place]))
    return short, unsafe


def _first(true: np.ndarray) -> np.ndarray:
    """The first column that is true in each row; the number of columns where none is."""
    return np.where(true.any(axis=1), true.argmax(axis=1), true.shape[1])


def _rows_of(frame: pd.DataFrame, table: pd.DataFrame, key: list[str]) -> np.ndarray:
    """For each row of the frame, the number of the table's row with the same key; -1 where there is none."""
    rows = table[key].assign(row=np.arange(len(table)))
    return frame[key].merge(rows, on=key, how="left")["row"].fillna(-1).to_numpy(dtype=int)
