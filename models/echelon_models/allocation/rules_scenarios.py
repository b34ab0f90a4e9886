"""What must hold of scenarios, of what fails in them, and of past deliveries: one function a rule."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from echelon.errors import Finding
from echelon.tables import Frames
from echelon_models.allocation.reliability import last_day
from echelon_models.allocation.schema import AllocationOptions


def probabilities_sum_to_one(tables: Frames, options: AllocationOptions) -> Iterator[Finding]:
    """The probabilities of the scenarios sum to 1."""
    scenarios = tables["scenarios"]
    total = float(scenarios["probability"].sum())
    if len(scenarios) and abs(total - 1) > 1e-6:
        yield Finding(
            "scenarios",
            "the probabilities do not sum to 1",
            "Correct them, or add a scenario in which nothing fails",
            column="probability",
            value=f"{total:g}",
        )


def scenarios_are_given_or_drawn(tables: Frames, options: AllocationOptions) -> Iterator[Finding]:
    """Not both; something to draw from; and some scenario where the objective speaks of them."""
    given = not tables["scenarios"].empty
    if given and options.draw_scenarios:
        yield Finding(
            "options",
            "the case has scenarios of its own",
            "Leave it at 0, or remove the table scenarios",
            column="draw_scenarios",
            value=str(options.draw_scenarios),
        )
    risky = any((tables[name]["disruption_probability"] > 0).any() for name in ("suppliers", "regions"))
    if options.draw_scenarios and not risky:
        yield Finding(
            "options",
            "no supplier or region has a disruption_probability: nothing ever fails",
            "Fill it in suppliers or regions",
            column="draw_scenarios",
            value=str(options.draw_scenarios),
            severity="warning",
        )
    if options.objective != "expected" and not given and not options.draw_scenarios:
        yield Finding(
            "options",
            "without scenarios this is the plain cost",
            "Add scenarios, or set draw_scenarios",
            column="objective",
            value=options.objective,
            severity="warning",
        )


def disruptions_name_what_exists(tables: Frames, options: AllocationOptions) -> Iterator[Finding]:
    """A disruption strikes a known supplier, or a region that some supplier is in."""
    known = {
        "supplier": {*tables["suppliers"]["supplier"], *tables["offers"]["supplier"]},
        "region": set(tables["suppliers"]["region"]) - {""},
    }
    for row, line in tables["disruptions"].iterrows():
        if line["name"] not in known[line["kind"]]:
            yield Finding(
                "disruptions",
                f"there is no {line['kind']} of this name",
                "Correct it, or remove the row",
                int(str(row)),
                "name",
                line["name"],
            )


def shortage_is_the_last_resort(tables: Frames, options: AllocationOptions) -> Iterator[Finding]:
    """A missing unit that costs less than the item's cheapest offer makes failures pay (a warning)."""
    cheapest = tables["items"]["item"].map(tables["offers"].groupby("item")["price"].min()).astype(float)
    for column in ("shortage_cost", "emergency_price"):
        low = tables["items"][tables["items"][column] < cheapest]
        for row, value in low[column].items():
            yield Finding(
                "items",
                "it is below the item's cheapest offer: a failure would save money",
                "Raise it",
                int(str(row)),
                column,
                f"{value:g}",
                severity="warning",
            )


def deliveries_follow_time(tables: Frames, options: AllocationOptions) -> Iterator[Finding]:
    """Nothing is received or promised before it was ordered, nor ordered or received after the day of the record."""
    deliveries = tables["deliveries"]
    if deliveries.empty:
        return
    today = last_day(deliveries) if options.as_of is None else pd.Timestamp(options.as_of)
    for column, wrong, what in (
        ("received", deliveries["received"] < deliveries["ordered"], "it was received before it was ordered"),
        ("promised", deliveries["promised"] < deliveries["ordered"], "it was promised for before it was ordered"),
        ("ordered", deliveries["ordered"] > today, f"it was ordered after {today:%Y-%m-%d} (option as_of)"),
        ("received", deliveries["received"] > today, f"it was received after {today:%Y-%m-%d} (option as_of)"),
    ):
        for row, value in deliveries.loc[wrong, column].items():
            yield Finding("deliveries", what, "Correct the dates", int(str(row)), column, f"{value:%Y-%m-%d}")
    for supplier, group in deliveries.groupby("supplier"):
        if group["received"].isna().all():
            yield Finding(
                "deliveries",
                "none of this supplier's deliveries has arrived: nothing can be estimated",
                "Give its on_time and lead times, or older deliveries",
                int(group.index[0]),
                "supplier",
                str(supplier),
                severity="warning",
            )
