"""Bad cases by the dozen, each with what its findings must say.

A finding is expected as it is shown, `table row N, column = value: rule. remedy`, with * for the parts that may vary
and anything after its end.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from .cases import FULL, SMALL, write

OFFERS = "supplier,item,price,line_cost\n"
DEMAND = "item,period,quantity\n"
PERIODS = "period,start,days\n"
TOML = 'family = "ordering"\n'
WEEKS = ["2026-01-05,7", "2026-01-12,7", "2026-01-19,7", "2026-01-26,7"]

Tables = dict[str, str | bytes | None]


@dataclass(frozen=True)
class Bad:
    """A bad case: a good one with some tables replaced (None takes one out), and the findings it must give."""

    name: str
    good: dict[str, str]
    tables: Tables
    expected: tuple[str, ...]
    toml: str
    sets: tuple[str, ...]

    def write(self, folder: Path) -> Path:
        return write(folder, {n: t for n, t in (self.good | self.tables).items() if t is not None}, self.toml)

    @property
    def options(self) -> dict[str, str]:
        return dict(pair.split("=", 1) for pair in self.sets)


def bad(good: dict[str, str], name: str, tables: Tables, *expected: str, toml: str = TOML, sets: str = "") -> Bad:
    return Bad(name, good, tables, expected, toml, tuple(sets.split()))


small = partial(bad, SMALL)
full = partial(
    bad, {name: FULL[name] for name in ("items", "sites", "suppliers", "periods", "offers", "demand", "lanes")}
)


def fits(shown: str, pattern: str) -> bool:
    """Whether a finding, as it is shown, begins with the pattern, in which * stands for anything."""
    first, *parts = pattern.split("*")
    if not shown.startswith(first):
        return False
    position = len(first)
    for part in parts:
        position = shown.find(part, position) + len(part)
        if position < len(part):
            return False
    return True


def table(name: str, *rows: str) -> Tables:
    """A table of the full case with other rows below its header."""
    return {name: "\n".join([FULL[name].splitlines()[0], *rows]) + "\n"}


def offer(**terms: str) -> Tables:
    """The full case's offers, the first with other terms."""
    header, first, *rest = FULL["offers"].splitlines()
    row = dict(zip(header.split(","), first.split(","), strict=True)) | terms
    return table("offers", ",".join(row.values()), *rest)


def demand(quantity: str) -> Tables:
    """The small case's demand with another second quantity."""
    return {"demand": f"{DEMAND}A,2026-01-05,10\nA,2026-01-12,{quantity}\nA,2026-01-19,30\n"}


def periods(*rows: str) -> Tables:
    return table("periods", *(f"W{n + 1},{row}" for n, row in enumerate(rows)))


def breaks(*rows: str) -> Tables:
    return table("price_breaks", *(f"ACME,A,MAIN,{row}" for row in rows))


FILES = [
    small("missing table", {"demand": None},
          "demand: the table is required and missing. Add demand.csv"),
    small("no table at all", dict.fromkeys(SMALL),
          *(f"{name}: the table is required and missing. Add {name}.csv" for name in SMALL)),
    small("unknown table", {"demnad": SMALL["demand"]},
          "demnad: no such table is known. Did you mean 'demand'?"),
    small("unlike any table", {"qqqq": "x\n1\n"},
          "qqqq: no such table is known. Known are: budgets, demand"),
    small("table in capitals", {"demand": None, "Demand": SMALL["demand"]},
          "demand: the table is required and missing",
          "Demand: no such table is known. Did you mean 'demand'?"),
    small("empty file", {"demand": ""}, "demand = demand.csv: the file is empty*header line"),
    small("only line ends", {"demand": "\n\n\n"}, "demand = demand.csv: the file is empty*header line"),
    small("only a BOM", {"demand": b"\xef\xbb\xbf"}, "demand = demand.csv: the file is empty*header line"),
    small("empty optional file", {"stock": ""}, "stock = stock.csv: the file is empty*remove the file"),
    small("header only", {"demand": DEMAND}, "demand: the table has no rows. Add at least one row"),
    small("header only items", {"items": "item\n"},
          "offers row 2, item = A: no such row in items. Add it to items",
          *(f"demand row {row}, item = A: no such row in items. Add it to items" for row in (2, 3, 4))),
    small("not UTF-8", {"items": "item\nMöbel\n".encode("latin-1")},
          "items = items.csv: the file is not UTF-8 text. Save it as 'CSV UTF-8'"),
    small("UTF-16", {"items": "item\nA\n".encode("utf-16")},
          "items = items.csv: the file is not UTF-8 text. Save it as 'CSV UTF-8'"),
    small("broken parquet", {"demand": None, "demand.parquet": b"PAR1" + b"\0" * 50},
          "demand = demand.parquet*: the file cannot be read*whole"),
    small("empty parquet", {"demand": None, "demand.parquet": b""},
          "demand = demand.parquet*: the file cannot be read"),
    small("text as parquet", {"demand": None, "demand.parquet": SMALL["demand"]},
          "demand = demand.parquet*: the file cannot be read"),
    small("quotation mark left open", {"demand": f'{DEMAND}A,2026-01-05,10\n"A,2026-01-12,20\n'},
          "demand row 3 = demand.csv: a quotation mark is never closed. Close it"),
    small("first row too long", {"demand": f"{DEMAND}A,2026-01-05,1,000\nA,2026-01-12,20\n"},
          "demand row 2 = demand.csv: the line has more cells than the header. Quote cells"),
    small("second row too long", {"demand": f"{DEMAND}A,2026-01-05,10\nA,2026-01-12,1,000\n"},
          "demand row 3 = demand.csv: the line has more cells than the header. Quote cells"),
    small("every row too long", {"demand": f"{DEMAND}A,2026-01-05,10,x\nA,2026-01-12,20,x\n"},
          "demand row 2 = demand.csv: the line has more cells than the header"),
    small("row too short", {"demand": f"{DEMAND}A,2026-01-05\nA,2026-01-12,20\n"},
          "demand row 2, quantity: the cell is blank. Fill it: Quantity wanted"),
]  # fmt: skip

COLUMNS = [
    small("missing column", {"demand": "item,period\nA,2026-01-05\n"},
          "demand, quantity: the column is required and missing. Add it to the header"),
    small("unknown column", {"demand": "item,period,quantity,prise\nA,2026-01-05,10,1\n"},
          "demand, prise: no such column is known. Known are: item"),
    small("misspelt column", {"offers": "supplier,item,price,leadtime\nACME,A,2,1\n"},
          "offers, leadtime: no such column is known. Did you mean 'lead_time'?"),
    small("column in capitals", {"demand": SMALL["demand"].replace("quantity", "Quantity")},
          "demand, Quantity: no such column is known. Did you mean 'quantity'?",
          "demand, quantity: the column is required and missing"),
    small("column twice", {"demand": "item,period,quantity,quantity\nA,2026-01-05,10,11\n"},
          "demand, quantity: the column stands twice. Keep one"),
    small("unknown column twice", {"items": "item,x,x\nA,1,2\n"},
          "items, x: no such column is known", "items, x: the column stands twice"),
    small("column without a name", {"items": "item,\nA,stray\n"},
          "items: a column has cells but no name. Name it in the header"),
    small("unknown separator", {"items": "item|description\nA|x\n"},
          "items, item|description: no such column is known", "items, item: the column is required and missing"),
]  # fmt: skip

NUMBERS = {
    "many": "is not a number", "1.000.0": "is not a number", "0x10": "is not a number", "12 units": "is not a number",
    "NA": "is not a number", "None": "is not a number", "#DIV/0!": "is not a number", "1e": "is not a number",
    "١٢": "is not a number", "2026-01-05": "is not a number", '"1,5"': "is not a number", "NaN": "must be a finite",
    "inf": "must be a finite", "-Infinity": "must be a finite", "1e999": "must be a finite",
    "-1": "must be at least 0", "-0.001": "must be at least 0",
}  # fmt: skip

DATES = {
    "2026-13-01": "is not a date", "2026-02-30": "is not a date", "5.1.2026": "is not a date",
    "1/5/2026": "is not a date", "05-01-2026": "is not a date", "20260105": "is not a date", "46027": "is not a date",
    "86400": "is not a date", "tomorrow": "is not a date", "2026-01-05T10:00": "is a time of day, not a date",
}  # fmt: skip

CELLS = [
    *(small(f"quantity {text}", demand(text), f"demand row 3, quantity = {text.strip(chr(34))}: {rule}*units")
      for text, rule in NUMBERS.items()),
    *(full(f"date {text}", periods(f"{text},7", *WEEKS[1:]), f"periods row 2, start = {text}: {rule}*2026-01-05")
      for text, rule in DATES.items()),
    small("blank number", demand(""), "demand row 3, quantity: the cell is blank. Fill it: Quantity wanted"),
    small("blank text", {"demand": f"{DEMAND}A,2026-01-05,10\n,2026-01-12,20\n"},
          "demand row 3, item: the cell is blank. Fill it: Item"),
    small("two blank keys", {"demand": f"{DEMAND}A,2026-01-05,10\n,,20\n,,30\n"},
          *(f"demand row {row}, {name}: the cell is blank" for row in (3, 4) for name in ("item", "period"))),
    small("rows count over blank lines", {"demand": f"{DEMAND}\nA,2026-01-05,10\n\n,,\nA,2026-01-12,x\n"},
          "demand row 6, quantity = x: is not a number"),
    full("half a period", offer(lead_time="0.5"), "offers row 2, lead_time = 0.5: is not a whole number*periods"),
    full("no number of periods", offer(lead_time="soon"), "offers row 2, lead_time = soon: is not a whole number"),
    full("negative lead time", offer(lead_time="-1"), "offers row 2, lead_time = -1: must be at least 0"),
    full("enormous lead time", offer(lead_time="9" * 30), "offers row 2, lead_time = 999*: must be at most"),
    full("enormous period", periods(*WEEKS[:3], "2026-01-26," + "9" * 30),
         "periods row 5, days = 999*: must be at most 36525"),
    full("multiples of nothing", offer(multiple="0"), "offers row 2, multiple = 0: must be"),
    small("neither true nor false", {"budgets": "department,amount,carry_over\n,600,maybe\n"},
          "budgets row 2, carry_over = maybe: is neither true nor false"),
    small("not a choice", {"shortages": "item,policy\nA,backlog\n"},
          "shortages row 2, policy = backlog: must be 'backorder', 'lost' or 'none'. Write one of backorder, lost"),
    small("not a status", {"items": "item,status\nA,off\n"},
          "items row 2, status = off: must be 'include' or 'exclude'. Write one of include, exclude"),
]  # fmt: skip

KEYS = [
    small("duplicate key", {"demand": f"{DEMAND}A,2026-01-05,10\nA,2026-01-12,20\nA,2026-01-05,30\n"},
          "demand row 4, item, site, period = A, MAIN, 2026-01-05: the key stands already in row 2. Keep one row"),
    small("duplicate item", {"items": "item\nA\nA\nA\n"},
          *(f"items row {row}, item = A: the key stands already in row 2" for row in (3, 4))),
    small("duplicate key of blanks", {"budgets": "department,amount\n,600\n,700\n"},
          "budgets row 3, department, period = ,: the key stands already in row 2"),
    full("duplicate price break", breaks("50,9.5,all_units", "50,9,all_units"),
         "price_breaks row 3, supplier, item, site, from_quantity = ACME, A, MAIN, 50.0: the key stands already"),
    small("dangling reference", {"demand": f"{DEMAND}A,2026-01-05,10\nDRILL,2026-01-12,20\n"},
          "demand row 3, item = DRILL: no such row in items. Add it to items"),
    small("misspelt reference", {"items": "item\nA\nDRILL-18V\nSAW\n", "demand": f"{DEMAND}DRILL-18,2026-01-05,10\n"},
          "demand row 2, item = DRILL-18: no such row in items. Did you mean 'DRILL-18V'? Or: Add it to items"),
    small("reference with a space", {"demand": f"{DEMAND}A ,2026-01-05,10\n"},
          "demand row 2, item = A: no such row in items. Did you mean 'A' (without the spaces around it)?"),
    full("misspelt supplier", table("shares", "BLOT,A,0.1,0.9"),
         "shares row 2, supplier = BLOT: no such row in suppliers. Did you mean 'BOLT'?"),
    full("unknown period", table("budgets", "Tools,W5,600,true"),
         "budgets row 2, period = W5: no such row in periods"),
    full("misspelt site", table("storage", "MIAN,,40"),
         "storage row 2, site = MIAN: no such row in sites. Did you mean 'MAIN'?"),
    full("price break without offer", table("price_breaks", "BOLT,B,MAIN,50,3,all_units"),
         "price_breaks row 2, supplier, item, site = BOLT, B, MAIN: no such row in offers. Add it to offers"),
    full("pinned order without offer", table("pinned_orders", "BOLT,B,MAIN,W1,10"),
         "pinned_orders row 2, supplier, item, site = BOLT, B, MAIN: no such row in offers. Add it to offers"),
]  # fmt: skip

RULES = [
    full("a gap in the periods", periods("2026-01-05,7", "2026-01-13,7", "2026-01-20,7", "2026-01-27,7"),
         "periods row 3, start = 2026-01-13: *a gap before it. Start it on 2026-01-12"),
    full("periods overlap", periods("2026-01-05,7", "2026-01-11,7", "2026-01-18,7", "2026-01-25,7"),
         "periods row 3, start = 2026-01-11: *overlaps the one before. Start it on 2026-01-12"),
    full("two periods at once", periods("2026-01-05,7", "2026-01-05,7", "2026-01-12,7", "2026-01-19,7"),
         "periods row 3, start = 2026-01-05: *overlaps the one before. Start it on 2026-01-12"),
    small("no periods at all", {"periods": PERIODS, "demand": DEMAND}, "demand: the table has no rows"),
    small("periods that are no dates", {"demand": f"{DEMAND}A,W1,10\n"},
          "demand row 2, period = W1: is not a date, and there is no periods table. Write periods as YYYY-MM-DD",
          "periods: the horizon has no periods"),
    small("period outside demand", {"receipts": "item,period,quantity\nA,2027-01-05,10\n"},
          "receipts row 2, period = 2027-01-05: no such period in demand. Add a periods table"),
    full("minimum over maximum", offer(minimum="300"),
         "offers row 2, minimum = 300: the minimum is over the maximum of 200. Lower it"),
    full("no multiple in between", offer(minimum="60", multiple="50", maximum="90"),
         "offers row 2, multiple = 50: no multiple lies between*of 90. Raise the maximum"),
    full("multiple over maximum", offer(minimum="", multiple="500"), "offers row 2, multiple = 500: no multiple"),
    full("price breaks rise", breaks("50,9.5,all_units", "100,9.6,all_units"),
         "price_breaks row 3, price = 9.6: price breaks must fall: the price below this break is 9.5. Lower it"),
    full("price break over the price", breaks("50,11,all_units"),
         "price_breaks row 2, price = 11: price breaks must fall: the price below this break is 10"),
    full("price breaks of two kinds", breaks("50,9.5,all_units", "100,9,incremental"),
         "price_breaks row 3, kind = incremental: *of one kind"),
    full("price break from nothing", breaks("0,9.5,all_units"),
         "price_breaks row 2, from_quantity = 0: must be more than 0"),
    small("demand without offer", {"items": "item\nA\nB\n", "demand": f"{SMALL['demand']}B,2026-01-05,1\n"},
          "demand row 5, item, site = B, MAIN: nothing can ever serve this demand*Add an offer"),
    small("demand where no lane leads", {"demand": "item,site,period,quantity\nA,SHOP,2026-01-05,1\n"},
          "demand row 2, item, site = A, SHOP: nothing can ever serve this demand"),
    full("lane to itself", table("lanes", "MAIN,MAIN,A,0.5,1", "MAIN,SHOP,,0.5,1"),
         "lanes row 2, to_site = MAIN: "),
    full("budget of an unknown department", table("budgets", "Toys,,600,true"),
         "budgets row 2, department = Toys: no item belongs to this department. Write one of: Garden, Tools"),
    full("smallest share over the largest", table("shares", "BOLT,A,0.6,0.5"),
         "shares row 2, min_share = 0.6: the smallest share is over the largest of 0.5"),
    full("share over one", table("shares", "BOLT,A,0.1,1.5"), "shares row 2, max_share = 1.5: must be at most 1"),
    full("smallest shares over one in all", table("shares", "ACME,A,0.6,1", "BOLT,A,0.6,1"),
         "shares row 3, min_share = 1.2: *add up to more than 1. Lower them"),
    full("largest shares under one in all", table("shares", "ACME,A,0,0.4", "BOLT,A,0,0.4"),
         "shares row 3, max_share = 0.8: *add up to less than 1. Raise them"),
    full("share without offer", table("shares", "BOLT,B,0,0.4"),
         "shares row 2, supplier, item = BOLT, B: this supplier has no offer for this item. Add an offer"),
]  # fmt: skip

SETTINGS = [
    small("broken TOML", {}, "case.toml = *line 1*: the file is not valid TOML. Mend the line it names",
          toml="family = \n"),
    small("options that are no table", {}, "case.toml = 3: options is not a table of options. Write a line [options]",
          toml=f"{TOML}options = 3\n"),
    small("unknown family", {}, "case, family = odering: no such family is installed. Name one of: *ordering",
          toml='family = "odering"\n'),
    small("family that is no name", {}, "case, family = 3: no such family is installed", toml="family = 3\n"),
    small("family that is a list", {}, "case, family = ['ordering']: no such family", toml='family = ["ordering"]\n'),
    small("unknown option", {}, "options, frozen_period = 1: no such option is known. Did you mean 'frozen_periods'?",
          toml=f"{TOML}[options]\nfrozen_period = 1\n"),
    small("option out of bounds", {}, "options, frozen_periods = -1: must be at least 0. Number of first periods",
          toml=f"{TOML}[options]\nfrozen_periods = -1\n"),
    small("option of a wrong type", {}, "options, holding_rate = high: is not a number. Yearly holding cost",
          toml=f'{TOML}[options]\nholding_rate = "high"\n'),
    small("infinite option", {}, "options, holding_rate = inf: must be a finite number",
          toml=f"{TOML}[options]\nholding_rate = inf\n"),
    small("option that is no choice", {}, "options, formulation = best: must be 'auto'", sets="formulation=best"),
    small("options and tables together", {"items": "item\nA\nA\n"},
          "options, holding_rate = x: is not a number", "items row 3, item = A: the key stands already in row 2",
          sets="holding_rate=x"),
]  # fmt: skip

BAD = [*FILES, *COLUMNS, *CELLS, *KEYS, *RULES, *SETTINGS]

DOUBTFUL = [
    full("lead time beyond the horizon", offer(lead_time="4"),
         "offers row 2, lead_time = 4: the lead time is beyond the horizon of 4 periods*Add periods"),
    small("frozen window over everything", {},
          "options, frozen_periods = 3: the frozen window covers the whole horizon of 3 periods. Freeze fewer",
          sets="frozen_periods=3"),
    small("minimum far over the need", {"offers": "supplier,item,price,minimum\nACME,A,2,500\n"},
          "offers row 2, minimum = 500: the minimum is over twice*demand of 60. Ask for a smaller minimum"),
    full("pinned order off the offer's terms", table("pinned_orders", "ACME,A,MAIN,W1,7"),
         "pinned_orders row 2, quantity = 7: *minimum of 10, multiple of 5. It is kept as it stands"),
]  # fmt: skip
