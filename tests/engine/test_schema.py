"""A table is declared once; docs, templates and validation come from it, so the declaration must be complete."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import ConfigDict, TypeAdapter

import echelon
from echelon.schema import (
    InputRow,
    Table,
    base_type,
    bounds,
    choices,
    extra,
    options_to_markdown,
    to_json_schema,
    to_markdown,
)

from .cases import echelon as cli

FAMILIES = echelon.families()
INPUTS = [(family.name, table) for family in FAMILIES.values() for table in family.inputs]
TABLES = INPUTS + [(family.name, table) for family in FAMILIES.values() for table in family.results]
COLUMNS = [(f"{name}.{table.name}.{column}", table, column) for name, table in TABLES for column in table.columns]
OPTIONAL = [(name, table.name) for name, table in INPUTS if not table.required]
# What goes with an optional table, as nothing is left that it could stand for: rows that need it, or the other of the
# two ways (stages and arcs, or ordinary tables) in which a positioning case tells its network.
GOES_WITH = {
    ("network", "products"): ("duties", "jurisdictions"),  # they speak of classes of products
    ("network", "recovery"): ("returns",),  # sites must take them back
    ("positioning", "items"): ("demand",),  # from which stages are derived
    ("positioning", "offers"): ("demand",),
    ("positioning", "stages"): ("arcs",),
    ("returns", "destinations"): ("recovery", "linehaul"),  # they say what happens there
    ("returns", "products"): ("recovery", "jurisdictions"),  # they speak of classes of products
}
# Tables that are optional for themselves, but one set of which every case needs: the smallest the README names.
LEAST = {
    "network": ("deliveries",),
    "positioning": ("items", "demand", "offers"),
    "returns": ("distances",),  # or coordinates, which are no required columns
}
UNPROVEN = {"returns"}  # families whose plans come without a bound
JSON_TYPES = {"string", "number", "integer", "boolean", "null", "array", "object"}


def table_id(value: Any) -> str:
    return value.name if isinstance(value, Table) else str(value)


def adapter(field: Any) -> TypeAdapter:
    annotation = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
    return TypeAdapter(annotation, config=ConfigDict(allow_inf_nan=False))


@pytest.mark.parametrize(("table", "column"), [c[1:] for c in COLUMNS], ids=[c[0] for c in COLUMNS])
def test_a_column_says_what_it_means(table: Table, column: str) -> None:
    """The meaning is the only documentation that an analyst has of a column: none may be empty."""
    field = table.columns[column]
    assert field.description and field.description.strip() == field.description
    assert not field.description.endswith("."), "meanings are set in tables, without a full stop"


@pytest.mark.parametrize(("table", "column"), [c[1:] for c in COLUMNS], ids=[c[0] for c in COLUMNS])
def test_examples_and_defaults_keep_the_declaration(table: Table, column: str) -> None:
    """The template is made of examples, and blank cells become defaults: both must pass the column's own bounds."""
    field = table.columns[column]
    assert len(field.examples or []) == 1
    adapter(field).validate_python(field.examples[0])
    if not field.is_required():
        adapter(field).validate_python(field.default)


@pytest.mark.parametrize(("table", "column"), [c[1:] for c in COLUMNS], ids=[c[0] for c in COLUMNS])
def test_a_quantity_has_a_unit(table: Table, column: str) -> None:
    """A number without a unit is guessed at. Only parts of 1, and figures whose unit is a column, need none."""
    field = table.columns[column]
    if base_type(field) not in (int, float):
        return
    part_of_one = ">= 0" in bounds(field) and "<= 1" in bounds(field)
    assert extra(field)["unit"] or part_of_one or "unit" in table.columns


@pytest.mark.parametrize(("family", "table"), TABLES, ids=table_id)
def test_a_table_says_what_it_holds_and_names_its_rows(family: str, table: Table) -> None:
    """Every table has a sentence of its own, and a key, without which duplicates could not be found."""
    assert table.meaning and table.meaning != (InputRow.__doc__ or "").strip()
    assert table.key
    assert all(base_type(table.columns[name]) in (str, float, int, date) for name in table.key)


@pytest.mark.parametrize(("family", "table"), INPUTS, ids=table_id)
def test_references_lead_to_declared_tables(family: str, table: Table) -> None:
    """A reference is checked against the one key column of the other table; parents must be declared before their
    children, for rows are excluded in the order of declaration."""
    names = [t.name for t in FAMILIES[family].inputs]
    by_name = {t.name: t for t in FAMILIES[family].inputs}
    for column, other in table.references.items():
        assert len(by_name[other].key) == 1
        assert names.index(other) < names.index(table.name), f"{table.name}.{column} refers to a later table"
    if table.belongs_to:
        parent = by_name[table.belongs_to]
        assert set(parent.key) <= set(table.columns)
        assert names.index(parent.name) < names.index(table.name)


@pytest.mark.parametrize("family", FAMILIES)
def test_names_are_declared_once(family: str) -> None:
    """Two tables of one name would hide each other."""
    for tables in (FAMILIES[family].inputs, FAMILIES[family].results):
        assert len({t.name for t in tables}) == len(tables)


@pytest.mark.parametrize(("family", "table"), INPUTS, ids=table_id)
def test_every_input_row_can_be_switched_off(family: str, table: Table) -> None:
    """The design promises `status` and `notes` in every table, behind the table's own columns."""
    assert list(table.columns)[-2:] == ["status", "notes"]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("part", ["inputs", "results"])
def test_the_markdown_lists_every_table_and_column(family: str, part: str) -> None:
    """`echelon schema` is the reference: what it leaves out does not exist for its reader."""
    tables = getattr(FAMILIES[family], part)
    sections = to_markdown("title", tables).split("\n## ")
    assert sections[0].startswith("# title")
    assert len(sections) == len(tables) + 1
    for table, section in zip(tables, sections[1:], strict=True):
        assert section.startswith(f"{table.name} ({'required' if table.required else 'optional'})")
        assert table.meaning in section
        rows = [line for line in section.splitlines() if line.startswith("|")][2:]
        for (name, field), row in zip(table.columns.items(), rows, strict=True):
            cells = [cell.strip() for cell in row.strip("|").split(" | ")]
            assert len(cells) == 6, f"a cell of {name} breaks the table: {row}"
            assert cells[0] == (f"**{name}**" if extra(field)["key"] else name)
            assert all(choice in cells[1] for choice in choices(field))
            assert extra(field)["reference"] in cells[1]
            assert cells[2] == extra(field)["unit"]
            assert cells[3] == bounds(field)
            assert cells[4] == "not allowed" or not field.is_required()
            assert cells[5] == field.description


@pytest.mark.parametrize("family", FAMILIES)
def test_the_markdown_lists_every_option(family: str) -> None:
    """An option that is not listed cannot be found; its default and meaning stand beside it."""
    text = options_to_markdown(FAMILIES[family].options)
    for name, field in FAMILIES[family].options.model_fields.items():
        (line,) = [line for line in text.splitlines() if line.startswith(f"| {name} |")]
        assert str(field.default).lower() in line
        assert field.description and field.description in line


def well_formed(schema: Any, root: dict[str, Any]) -> None:
    """The parts of JSON Schema 2020-12 that pydantic writes: known types, references that lead somewhere."""
    assert isinstance(schema, dict)
    if "type" in schema:
        assert schema["type"] in JSON_TYPES
    if "enum" in schema:
        assert schema["enum"] and len(set(schema["enum"])) == len(schema["enum"])
    if "$ref" in schema:
        target: Any = root
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
    for part in ("anyOf", "allOf", "oneOf"):
        for option in schema.get(part, []):
            well_formed(option, root)
    for option in schema.get("properties", {}).values():
        well_formed(option, root)
    if "items" in schema:
        well_formed(schema["items"], root)
    assert set(schema.get("required", [])) <= set(schema.get("properties", {}))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("part", ["inputs", "results"])
def test_the_json_schema_is_valid_and_complete(family: str, part: str) -> None:
    """Other tools generate code and forms from it: every table and column with type, meaning, unit, key, reference."""
    tables = getattr(FAMILIES[family], part)
    schema = json.loads(to_json_schema("title", tables), parse_constant=pytest.fail)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    well_formed(schema, schema)
    assert list(schema["properties"]) == [t.name for t in tables]
    assert schema["required"] == [t.name for t in tables if t.required]
    for table in tables:
        row = schema["properties"][table.name]["items"]
        assert row["additionalProperties"] is False
        assert set(row["properties"]) == set(table.columns)
        assert set(row.get("required", [])) == {n for n, f in table.columns.items() if f.is_required()}
        for name, column in row["properties"].items():
            assert column.get("type") or column.get("anyOf") or column.get("enum")
            assert column["description"] == table.columns[name].description
            assert {k: column[k] for k in ("unit", "key", "reference")} == extra(table.columns[name])


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folders = {name: tmp_path_factory.mktemp("templates") / name for name in FAMILIES}
    for name, folder in folders.items():
        assert cli("new", name, folder).exit_code == 0
    return folders


@pytest.mark.parametrize("family", FAMILIES)
def test_the_template_is_a_case_that_solves(templates: dict[str, Path], tmp_path: Path, family: str) -> None:
    """The first thing a newcomer does is `new` and `solve`: it must give a plan without a finding."""
    assert echelon.check(templates[family]) == []
    result = cli("solve", templates[family], "--out", tmp_path)
    assert result.exit_code == 0, result.stderr
    assert len(list(tmp_path.glob("*/run.json"))) == 1


@pytest.mark.parametrize("family", FAMILIES)
def test_the_template_has_every_table_with_its_columns_in_order(templates: dict[str, Path], family: str) -> None:
    """The header is what an analyst fills in: every declared column, no other."""
    for table in FAMILIES[family].inputs:
        header = (templates[family] / f"{table.name}.csv").read_text(encoding="utf-8").splitlines()[0]
        assert header.split(",") == list(table.columns)


@pytest.mark.parametrize(("family", "optional"), OPTIONAL, ids=str)
def test_any_optional_table_may_be_left_out(templates: dict[str, Path], family: str, optional: str) -> None:
    """`new` says "remove those you do not need": whichever one is removed, the rest stays a case. A few tables take
    others with them (`GOES_WITH`): a finding says so to those who forget."""
    frames = echelon.read(templates[family]).tables
    del frames[optional]
    if (family, optional) in GOES_WITH:
        with pytest.raises(echelon.InputError):
            echelon.check(frames, family)
    for other in GOES_WITH.get((family, optional), ()):
        del frames[other]
    reached = echelon.Termination.FEASIBLE if family in UNPROVEN else echelon.Termination.OPTIMAL
    assert echelon.solve(frames, family, explain="off").outcome.termination is reached


@pytest.mark.parametrize("family", FAMILIES)
def test_the_required_tables_alone_are_a_case(templates: dict[str, Path], family: str) -> None:
    """Few small files must give a first answer, and so must their required columns alone. Where a family accepts
    either of two sets of tables, none of them can be declared as required: `LEAST` names one set."""
    frames = echelon.read(templates[family]).tables
    required = {t.name: t for t in FAMILIES[family].inputs if t.required or t.name in LEAST.get(family, ())}
    bare = {
        name: frames[name][[c for c, field in table.columns.items() if field.is_required()]]
        for name, table in required.items()
    }
    assert echelon.solve(bare, family, explain="off").outcome.has_plan
