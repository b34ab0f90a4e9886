"""Bad input is the normal case: findings that name table, row, column, value and remedy, all at once; never a traceback."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import echelon
from echelon.tables import Frames

from .cases import calendar, case, costs, wants

PEOPLE = {"customer": ["c", "d"], "group": ["G", ""], "region": ["X", "Y"]}
PLACED = {"customer": ["c", "d"], "latitude": [50.0, 51.0], "longitude": [8.0, 9.0]}
STEP = {"site": "A", "step": 1, "capacity": 3.0}
BOUNDED = {"site": ["A", "B"], "capacity": [9.0, None]}

# tables of a case, options, and for each finding: table, row, column, and a part of what it says
BAD: list[tuple[str, Frames, dict[str, Any], list[tuple[str, int | None, str, str]]]] = [
    ("no sites", case(sites=pd.DataFrame({"site": []}), deliveries=None), {}, [("sites", None, "", "no rows")]),
    ("no demand", case(demand=wants().astype({"quantity": float})), {}, [("demand", None, "", "no rows")]),
    ("unknown column", case(sites={"site": ["A", "B"], "capcity": 1.0}), {}, [("sites", None, "capcity", "no such column")]),
    ("unknown table", case(lans={"a": 1}), {}, [("lans", None, "", "no such table")]),
    ("negative cost", case(sites={"site": ["A", "B"], "running_cost": [1.0, -2.0]}), {},
     [("sites", 3, "running_cost", "at least 0")]),
    ("infinite capacity", case(sites={"site": ["A", "B"], "capacity": [1.0, float("inf")]}), {},
     [("sites", 3, "capacity", "finite")]),
    ("latitude", case(sites={"site": ["A", "B"], "latitude": 91.0, "longitude": 0.0}), {},
     [("sites", 2, "latitude", "at most 90"), ("sites", 3, "latitude", "at most 90")]),
    ("half a coordinate", case(customers={"customer": ["c", "d"], "latitude": [50.0, None]}), {},
     [("customers", 2, "longitude", "only one coordinate")]),
    ("site twice", case(sites={"site": ["A", "A"]}, deliveries=costs({"A": [1, 2]})), {}, [("sites", 3, "site", "already in row 2")]),
    ("unknown site of a delivery", case(deliveries=costs({"A": [1, 3], "Z": [3, 1]})), {},
     [("deliveries", 4, "site", "no such row in sites"), ("deliveries", 5, "site", "no such row in sites")]),
    ("unknown kind", case(sites={"site": ["A", "B"], "kind": ["depot", "hub"]}), {}, [("sites", 2, "kind", "must be")]),
    ("period without periods", case(demand=wants(c=[3], d=[4])), {},
     [("demand", 2, "period", "no periods table"), ("demand", 3, "period", "no periods table")]),
    ("period of another name without periods", case(demand={"customer": ["c"], "period": ["W1"], "quantity": [3.0]}), {},
     [("demand", 2, "period", "no periods table")]),
    ("gap between periods", case(periods=calendar([10, 10]).assign(start=pd.to_datetime(["2026-01-01", "2026-02-01"]))), {},
     [("periods", 3, "start", "a gap before it")]),
    ("overlap of periods", case(periods=calendar([10, 10]).assign(days=30)), {}, [("periods", 3, "start", "overlaps")]),
    ("nobody serves a customer", case(deliveries=costs({"A": [1, None], "B": [3, None]})), {},
     [("demand", 3, "customer, product", "no site can serve it")]),
    ("nobody has the product", case(supply={"site": "A", "product": "x"}, demand={"customer": "c", "product": "y", "quantity": 1.0}),
     {}, [("demand", 2, "customer, product", "no site can serve it")]),
    ("a hard service limit nobody can keep", case(deliveries=costs({"A": [1, 3]}).assign(distance=[9.0, 80.0]),
     service_limits={"within": 10.0, "hard": True}), {}, [("demand", 3, "customer, product", "no site can serve it")]),
    ("a law that leaves nobody", case(sites={"site": ["A", "B"], "region": "X"}, customers=PEOPLE,
     jurisdictions={"region": "X", "rule": "no_export"}), {}, [("demand", 3, "customer, product", "no site can serve it")]),
    ("neither deliveries nor customers", case(deliveries=None), {}, [("deliveries", None, "", "neither deliveries nor")]),
    ("no coordinates", case(deliveries=None, customers=PLACED), {},
     [("sites", 2, "latitude", "has no coordinates"), ("sites", 3, "latitude", "has no coordinates")]),
    ("distance that counts", case(deliveries=costs({"A": [1, 3]}).assign(cost_per_km=0.5)), {},
     [("deliveries", 2, "distance", "not known"), ("deliveries", 3, "distance", "not known")]),
    ("distance for service", case(deliveries=costs({"A": [1, 3]}), service_limits={"within": 9.0}), {},
     [("deliveries", 2, "distance", "not known"), ("deliveries", 3, "distance", "not known")]),
    ("time for service", case(deliveries=costs({"A": [1]}), demand=wants(c=1),
     service_limits={"within": 9.0, "measure": "time"}), {}, [("deliveries", 2, "hours", "not known")]),
    ("lane to itself", case(lanes={"from_site": "A", "to_site": "A"}), {}, [("lanes", 2, "to_site", "another site")]),
    ("delivery from a silent site", case(sites={"site": ["A", "B"], "delivers": [True, False]}), {},
     [("deliveries", 4, "site", "delivers to no customers"), ("deliveries", 5, "site", "delivers to no customers")]),
    ("steps from two", case(sites=BOUNDED, capacity_steps=STEP | {"step": 2}), {}, [("capacity_steps", 2, "step", "not numbered 1 to 1")]),
    ("step of a site without a limit", case(sites=BOUNDED, capacity_steps=STEP | {"site": "B"}), {},
     [("capacity_steps", 2, "site", "no limit to its capacity")]),
    ("existing step of a new site", case(sites=BOUNDED, capacity_steps=STEP | {"existing": True}), {},
     [("capacity_steps", 2, "existing", "but A does not")]),
    ("existing step after a new one", case(sites=BOUNDED | {"existing": True}, capacity_steps=STEP | {"step": [1, 2],
     "existing": [False, True]}), {}, [("capacity_steps", 3, "existing", "a step before it does not")]),
    ("smallest over largest", case(site_limits={"minimum": 3, "maximum": 2}), {}, [("site_limits", 2, "minimum", "over the largest of 2")]),
    ("region of no site", case(site_limits={"region": "Q", "maximum": 2}), {}, [("site_limits", 2, "region", "no site has this")]),
    ("duty of no region", case(duties={"from_region": "Q", "rate": 0.1}, products={"product": "ALL", "value": 1.0}), {},
     [("duties", 2, "from_region", "no site or customer has this")]),
    ("law of no class", case(customers=PEOPLE, jurisdictions={"product_class": "q", "region": "X", "rule": "no_import"}), {},
     [("jurisdictions", 2, "product_class", "no product has this")]),
    ("service of no group", case(customers=PEOPLE, deliveries=costs({"A": [1, 3]}).assign(distance=1.0),
     service_limits={"group": "Q", "within": 9.0}), {}, [("service_limits", 2, "group", "no customer has this")]),
    ("one site a group, no group", case(customers=PEOPLE | {"sourcing": "group"}), {}, [("customers", 3, "group", "it has no group")]),
    ("one site a group, no customers", case(), {"sourcing": "group"}, [("customers", None, "", "sourcing is by group")]),
    ("returns that nobody takes", case(returns={"customer": "c", "quantity": 1.0}), {},
     [("returns", 2, "customer, product", "no site can take it back")]),
    ("bands that fall", case(), {"service_bands": "100, 50"}, [("options", None, "service_bands", "rise")]),
    ("bands that are words", case(), {"service_bands": "near, far"}, [("options", None, "service_bands", "numbers")]),
    ("unknown network", case(), {"compare": "galactic"}, [("options", None, "compare", "galactic")]),
    ("unknown option", case(), {"sorcing": "group"}, [("options", None, "sorcing", "no such option")]),
    ("cover over one", case(), {"backup_cover": 1.5}, [("options", None, "backup_cover", "at most 1")]),
    ("two at once", case(site_limits={"minimum": 3, "maximum": 2}, lanes={"from_site": "A", "to_site": "A"}), {},
     [("site_limits", 2, "minimum", "over the largest"), ("lanes", 2, "to_site", "another site")]),
]  # fmt: skip

DOUBTFUL = [
    ("recovery without returns", case(recovery={"site": "A"}), "recovery", "no returns"),
    ("stock of no worth", case(products={"product": "ALL", "pooling": 1.0}), "products", "costs nothing"),
    ("duties on no worth", case(customers=PEOPLE, duties={"rate": 0.1}), "duties", "no product has a value"),
    ("limit of no kind", case(site_limits={"kind": "hub", "maximum": 1}), "site_limits", "no site is of this kind"),
]


@pytest.mark.parametrize(("tables", "options", "expected"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_bad_input_is_named(
    tables: Frames, options: dict[str, Any], expected: list[tuple[str, int | None, str, str]]
) -> None:
    """Each finding says where and what, there are no others, and each has a remedy."""
    with pytest.raises(echelon.InputError) as caught:
        echelon.check(tables, "network", options)
    errors = [f for f in caught.value.findings if f.severity == "error"]
    told = [(f.table, f.row, f.column) for f in errors]
    assert sorted(told, key=str) == sorted([e[:3] for e in expected], key=str), "\n".join(map(str, errors))
    for table, row, column, part in expected:
        assert any((f.table, f.row, f.column) == (table, row, column) and part in f.rule for f in errors), part
    assert all(f.remedy for f in errors)


@pytest.mark.parametrize(("tables", "table", "part"), [row[1:] for row in DOUBTFUL], ids=[row[0] for row in DOUBTFUL])
def test_doubtful_input_is_told_and_planned(tables: Frames, table: str, part: str) -> None:
    """A warning is for the analyst to judge: the plan is made all the same."""
    run = echelon.solve(tables, "network", time_limit=20.0)
    assert [(f.table, f.severity) for f in run.findings] == [(table, "warning")]
    assert part in run.findings[0].rule


def test_the_template_can_be_planned_as_it_is(tmp_path: Any) -> None:
    """`echelon new network` writes an example row a table; together they are a case."""
    from typer.testing import CliRunner

    from echelon.cli import app

    folder = tmp_path / "case"
    assert CliRunner().invoke(app, ["new", "network", str(folder)]).exit_code == 0
    run = echelon.solve(folder, time_limit=20.0)
    assert run.outcome.has_plan
