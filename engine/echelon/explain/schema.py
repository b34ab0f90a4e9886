"""The result tables in which a plan is explained; a family adds those it fills to its own."""

from __future__ import annotations

from typing import Literal

from echelon.schema import Row, Table, Text, column

How = Literal["held", "weighed", "anew", "searched"]


class Eased(Row):
    """What a limit is worth: the case solved again with so much more of it in every period."""

    limit: Text = column("Kind of limit; together: several that only help when eased together", example="storage", key=True)  # fmt: skip
    name: Text = column("Whose it is; blank: of all", example="MAIN", key=True)
    unit: Text = column("Unit of what is added", example="m³", key=True)
    added: float = column("How much more of it there is in every period", example=9.0, ge=0, key=True)
    how: How = column("held: the plan's yes-or-no decisions stay; weighed: the plans found on the way are mixed anew; anew: everything is planned anew; searched: so too, by a search that proves nothing", example="held", key=True)  # fmt: skip
    share: float = column("The same as a part of what there is on average", example=0.1, ge=0)
    saving: float = column("By how much the plan costs less", example=310.0, unit="money", ge=0)
    price: float | None = column("What one more unit in every period would then still save; blank: not known", example=30.0, unit="money/unit", ge=0, default=None)  # fmt: skip
    binds_next: Text = column("The limit that would then hold the plan back most besides; blank: none", example="budget of Power tools", default="")  # fmt: skip


class Bottleneck(Row):
    """Where a plan is tightest in each period, and which items feed it most."""

    period: Text = column("Period", example="2026-01-05", key=True)
    item: Text = column("Item; blank: none uses it", example="DRILL-18V", key=True)
    limit: Text = column("Kind of the limit that is worth most in this period or, if none is, is used most", example="storage")  # fmt: skip
    name: Text = column("Whose it is; blank: of all", example="MAIN")
    unit: Text = column("Unit of use and capacity", example="m³")
    capacity: float = column("What the limit allows", example=90.0, ge=0)
    use: float = column("What the plan uses of it", example=88.2, ge=0)
    price: float | None = column("What one more unit would save; blank: no price tells it", example=4.2, unit="money/unit", ge=0, default=None)  # fmt: skip
    item_use: float = column("What the item uses of it", example=31.0, ge=0)
    item_share: float = column("The same as a part of all use", example=0.35, ge=0, le=1)


class RulePrice(Row):
    """What a rule costs: the case solved once more without it, from the plan on."""

    rule: Text = column("The rule that was left out", example="minimum quantities", key=True)
    cost_without: float = column("What the best plan found without it costs", example=98000.0, unit="money")
    saving: float = column("What the plan costs more than that", example=2000.0, unit="money", ge=0)
    at_most: float | None = column("No plan without the rule saves more than this; blank: not known", example=2400.0, unit="money", ge=0, default=None)  # fmt: skip


EASED = Table("eased", Eased)
BOTTLENECKS = Table("bottlenecks", Bottleneck)
RULE_PRICES = Table("rule_prices", RulePrice)
