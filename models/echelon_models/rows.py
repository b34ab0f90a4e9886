"""Rows that more than one family reads: what an item, a site, a supplier, a period is."""

from __future__ import annotations

from datetime import date

from echelon.schema import InputRow, Text, column

MAIN_SITE = "MAIN"
EVERY = ""  # a blank item, site, period or name stands for every one that has no row of its own


class Item(InputRow):
    """What is bought, stocked and sold."""

    item: Text = column("Name or number of the item", example="DRILL-18V", key=True)
    description: Text = column("What it is, for people", example="Cordless drill 18 V", default="")
    department: Text = column("Department whose budget pays for it", example="Power tools", default="")
    value: float | None = column(
        "What one unit in stock is worth; blank: its lowest offer price",
        example=62.0, unit="money/unit", ge=0, default=None,
    )  # fmt: skip
    holding_rate: float | None = column(
        "Yearly cost of holding stock as a share of its value; blank: the option holding_rate",
        example=0.22, unit="1/year", ge=0, default=None,
    )  # fmt: skip
    volume: float = column("Space that one unit takes in storage", example=0.012, unit="m³/unit", ge=0, default=0.0)


class Site(InputRow):
    """Where stock is held and demand is served. Without this table, the sites that other tables name are taken."""

    site: Text = column("Name of the site", example=MAIN_SITE, key=True)
    description: Text = column("What it is, for people", example="Central warehouse", default="")


class Supplier(InputRow):
    """Who delivers. Without this table, the suppliers that other tables name are taken, at no cost per order."""

    supplier: Text = column("Name of the supplier", example="NORDBOHR", key=True)
    description: Text = column("Who it is, for people", example="Nordbohr GmbH, Hamburg", default="")
    order_cost: float = column(
        "Cost of one order to this supplier for one site in one period, however many lines it has",
        example=45.0, unit="money/order", ge=0, default=0.0,
    )  # fmt: skip


class Period(InputRow):
    """The planning periods, each following the one before without a gap.

    Without this table, the periods in `demand` must be dates (the day each period starts); gaps between them are
    filled in equal steps or, if all fall on the same day of the month, in months.
    """

    period: Text = column("Name of the period", example="2026-01-05", key=True)
    start: date = column("First day of the period", example=date(2026, 1, 5))
    days: int = column("Length of the period", example=7, unit="days", ge=1, le=36525, default=7)
