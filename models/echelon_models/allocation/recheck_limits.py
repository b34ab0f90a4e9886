"""Second part of the recheck: ceilings and capacities, and the losses that an award must survive."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from echelon.book import Book, index_of
from echelon.tables import Frames
from echelon_models.allocation.recheck_awards import ARC, PAIR, sum_by


def check_limits(
    book: Book, full: Frames, plan: Frames, flows: pd.DataFrame, awards: pd.DataFrame, suppliers: pd.DataFrame
) -> dict[str, float]:
    """Use of each ceiling and capacity: hard ones are kept, and `limits` tells use and excess truly. Returns the cost
    of excess by kind."""
    groups = full["items"].set_index("item")["group"]
    lines, moving = awards.reset_index(drop=True), flows.reset_index(drop=True)
    moving = moving.assign(group=moving["item"].map(groups))
    rows = []
    for row in full["ceilings"].itertuples():
        mine = moving if row.group == "" else moving[moving["group"] == row.group]
        goods = lines if row.group == "" else lines[lines["group"] == row.group]
        money = goods["true_spend"].sum() + (mine["quantity"] * (mine["freight"] + mine["unit_duty"])).sum()
        use = money if row.kind == "budget" else (mine["quantity"] * mine["unit_carbon"]).sum()
        unit = "money" if row.kind == "budget" else "kg"
        rows.append((row.kind, row.group, unit, row.amount, use, row.hard, row.excess_cost))
    offered = full["suppliers"]["supplier"].isin(
        full["arcs"].loc[~(full["arcs"]["excluded"] | full["arcs"]["forbidden"]), "supplier"]
    )
    for row in full["suppliers"][full["suppliers"]["capacity"].notna() & offered].itertuples():
        used = suppliers["true_quantity"].get(row.supplier, 0.0)
        rows.append(("supplier capacity", row.supplier, "units", row.capacity, used, True, 0.0))
    columns = ["limit", "name", "unit", "capacity", "use", "hard", "excess_cost"]
    true = pd.DataFrame(rows, columns=columns)
    true = true.set_index(index_of(true, ["limit", "name", "unit"]))
    over = (true["use"] - true["capacity"]).clip(lower=0.0).astype(float)
    for kind in ("budget", "carbon", "supplier capacity"):
        mine = true["limit"] == kind
        book.at_most(
            f"hard {kind}",
            true.loc[mine & true["hard"].astype(bool), "use"],
            true["capacity"][mine & true["hard"].astype(bool)],
        )
    told = plan["limits"].set_index(index_of(plan["limits"], ["limit", "name", "unit"]))
    book.none(
        "one row a limit, and no others",
        True,
        told.index[told.index.duplicated()].append(told.index.symmetric_difference(true.index)),
    )
    told = told[~told.index.duplicated()].reindex(true.index)
    book.equal("capacity of limits", told["capacity"].fillna(0.0), true["capacity"])
    book.equal("use of limits", told["use"].fillna(0.0), true["use"])
    book.equal("excess of limits", told["excess"].fillna(0.0), over, true["use"])
    soft = ~true["hard"].astype(bool)
    cost = over.where(soft, 0.0) * true["excess_cost"]
    return {f"{kind} excess": float(cost[true["limit"] == kind].sum()) for kind in ("budget", "carbon")}


def check_survival(book: Book, full: Frames, plan: Frames, awards: pd.DataFrame) -> None:
    """For each loss that an item must survive, the plan names awarded suppliers, not lost, who cover its demand within
    their capacities beside what they deliver of other items."""
    known = full["suppliers"].set_index("supplier", drop=False)
    told = plan["survival"]
    index = index_of(told, ["kind", "lost", *ARC])
    lost = [
        s in known.index and known.at[s, kind] == name
        for kind, name, s in told[["kind", "lost", "supplier"]].itertuples(index=False)
    ]
    book.none("who is lost does not deliver", True, index[np.array(lost, dtype=bool)])
    book.none("backups are awarded", True, index[~index_of(told, PAIR).isin(awards.index)])
    book.none("backups have a lane", True, index[~index_of(told, ARC).isin(index_of(full["arcs"], ARC))])
    offers = full["offers"].set_index(PAIR)
    told = told.assign(good=told["quantity"] * offers["yield_rate"].reindex(index_of(told, PAIR)).to_numpy())
    wanted: dict[Any, float] = {}
    hit: dict[Any, list[str]] = {}
    for kind, name, item, line in _losses(full):
        hit.setdefault((kind, name), []).append(item)
        places = full["demand"][full["demand"]["item"] == item]
        for site, quantity in zip(places["site"], places["quantity"], strict=True):
            wanted[kind, name, item, site] = line.survival_share * quantity
    need = pd.Series(wanted, dtype=float)
    if len(need):
        book.at_most("survival of a loss", need, sum_by(told, ["kind", "lost", "item", "site"], "good", need.index))
    by_pair = told.groupby(["kind", "lost", *PAIR])["quantity"].sum()
    limit = pd.Series(
        [offers["capacity"].get((s, i), np.nan) for _, _, s, i in by_pair.index], by_pair.index, dtype=float
    )
    book.at_most("backups within the capacity of offers", by_pair, limit.fillna(np.inf))
    by_supplier = told.groupby(["kind", "lost", "supplier"])["quantity"].sum()
    busy = [
        awards.loc[(awards["supplier"] == s) & ~awards["item"].isin(hit.get((kind, name), [])), "flow"].sum()
        for kind, name, s in by_supplier.index
    ]
    limit = pd.Series(
        [known["capacity"].get(s, np.nan) for _, _, s in by_supplier.index], by_supplier.index, dtype=float
    )
    book.at_most("backups within the capacity of suppliers", by_supplier + np.array(busy), limit.fillna(np.inf))


def _losses(full: Frames) -> Iterator[tuple[str, str, str, Any]]:
    """(kind, name, item, the item's row): each loss that an item must survive, among those who may deliver it."""
    known = full["suppliers"].set_index("supplier", drop=False)
    arcs = full["arcs"][~(full["arcs"]["excluded"] | full["arcs"]["forbidden"])]
    for line in full["items"][full["items"]["survives"] != "none"].itertuples():
        sources = arcs.loc[arcs["item"] == line.item, "supplier"]
        for name in sorted(set(sources.map(known[line.survives])) - {""}):
            yield line.survives, name, line.item, line
