"""Places and what goes between them: on a map sketch (Mercator) where coordinates are known, else by layer.

Everything is placed here, in pixels, so that names can be kept apart; Vega-Lite only paints it."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pandas as pd

from echelon.charts import Network, Routes, distinct
from echelon.errors import shorten
from echelon.report.grammar import (
    COLOURS,
    INK,
    MUTED,
    NARROW,
    PAPER,
    QUIET,
    RULE,
    Drawing,
    Spec,
    given,
    layer,
    number,
    text_width,
    told,
    unique_names,
)
from echelon.report.numbers import amount

MOST_PLACES, MOST_ARCS = 300, 600  # that are drawn, the largest first
MARGIN = 30  # pixels around what is drawn
SMALL = 6.0  # radius up to which a circle may be written over, and its name stands beside it
LINE = 14.0  # pixels that a line of text takes
STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30)  # degrees between the lines of a map

Point = tuple[float, float]


@dataclass(frozen=True)
class Place:
    """A circle: where its middle is, its radius, its colour, the name beside it, what it says of itself."""

    x: float
    y: float
    radius: float
    colour: str
    name: str
    words: str


@dataclass
class Picture:
    """What is to be painted, from back to front."""

    width: float
    height: float
    lines: list[Spec] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    texts: list[Spec] = field(default_factory=list)

    def add_line(self, a: Point, b: Point, colour: str, width: float, opacity: float = 1.0) -> None:
        ends = {"x": round(a[0], 1), "y": round(a[1], 1), "x2": round(b[0], 1), "y2": round(b[1], 1)}
        self.lines.append(ends | {"c": colour, "w": round(width, 1), "o": opacity})

    def add_text(self, x: float, y: float, text: str, colour: str = INK, size: int = 12) -> None:
        self.texts.append({"x": round(x, 1), "y": round(y, 1), "t": text, "c": colour, "s": size})


def network(chart: Network, width: int) -> Drawing:
    """Places as circles as large as what they hold, flows as lines as wide as what they carry."""
    known = chart.data.dropna(subset=[column for column in (chart.latitude, chart.longitude) if column])
    frame = known.nlargest(MOST_PLACES, chart.size, keep="first").sort_index()
    index = {label: i for i, label in enumerate(frame[chart.label])}
    arcs = chart.arcs[chart.arcs["origin"].isin(index.keys()) & chart.arcs["destination"].isin(index.keys())]
    arcs = arcs.nlargest(MOST_ARCS, "quantity", keep="first")
    pairs = [(index[o], index[d]) for o, d in zip(arcs["origin"], arcs["destination"], strict=True)]
    if chart.latitude:
        points, picture = _on_map(frame[chart.latitude], frame[chart.longitude], width)
    else:
        points, picture = _by_layer(frame[chart.layer].tolist(), pairs, width)
    shades = _shades(distinct(frame[chart.kind])) if chart.kind else {}
    picture.places = _circles(chart, frame, points, shades, 17 if width > NARROW else 11)
    heaviest = max(number(arcs["quantity"].max()), 1e-9)
    for (a, b), quantity in zip(pairs, arcs["quantity"], strict=True):
        picture.add_line(points[a], points[b], MUTED, 0.7 + 6 * number(quantity) / heaviest, 0.45)
    _name_places(picture, 45 if width > NARROW else 14)
    key = tuple(("dot", shade, shorten(kind)) for kind, shade in shades.items())
    left_out = _left_out(("places", len(frame), len(chart.data)), ("flows", len(arcs), len(chart.arcs)))
    return Drawing(_paint(picture), key, left_out)


def _shades(kinds: list[str]) -> dict[str, str]:
    """A colour a kind; grey for the last of several."""
    shades = {kind: COLOURS[n % len(COLOURS)] for n, kind in enumerate(kinds)}
    return shades | ({kinds[-1]: QUIET} if len(kinds) > 1 else {})


def _circles(
    chart: Network, frame: pd.DataFrame, points: list[Point], shades: dict[str, str], biggest: float
) -> list[Place]:
    most = max(number(frame[chart.size].max()), 1e-9)
    kinds = frame[chart.kind].astype(str) if chart.kind else [""] * len(frame)
    names = unique_names(frame[chart.label], 40)
    circles = []
    for (x, y), name, size, kind in zip(points, names, frame[chart.size], kinds, strict=True):
        radius = max(biggest * math.sqrt(max(number(size), 0.0) / most), 2.2)
        who = f"{name} ({shorten(kind)})" if kind else name
        words = f"{who}: {chart.size} {amount(size, chart.units.get(chart.size, ''))}"
        circles.append(Place(x, y, radius, shades.get(kind, COLOURS[0]), name, words))
    return circles


def routes(chart: Routes, width: int) -> Drawing:
    """Tours as coloured lines from stop to stop, named where they are farthest from where they begin."""
    frame = chart.data.dropna(subset=[chart.latitude, chart.longitude]).head(MOST_ARCS)
    points, picture = _on_map(frame[chart.latitude], frame[chart.longitude], width)
    depots = frame[chart.depot].tolist() if chart.depot else [False] * len(frame)
    stops = [shorten(str(stop)) for stop in frame[chart.stop]]
    tours: dict[str, list[int]] = defaultdict(list)
    for i, route in enumerate(frame[chart.route]):
        tours[shorten(str(route))].append(i)
    for n, (route, tour) in enumerate(tours.items()):
        colour = COLOURS[n % len(COLOURS)]
        for a, b in pairwise(tour):
            picture.add_line(points[a], points[b], colour, 2.0, 0.85)
        farthest = max(tour, key=lambda i: math.dist(points[i], points[tour[0]]))
        for i in tour:
            if not depots[i]:
                name = route if i == farthest else ""
                picture.places.append(Place(*points[i], 3.2, colour, name, f"{route}: {stops[i]}"))
    depot_points = {(stops[i], points[i]): None for i in range(len(frame)) if depots[i]}
    picture.places += [Place(*point, 6.5, INK, name, name) for name, point in depot_points]
    _name_places(picture, 40 if width > NARROW else 12)
    key = (("dot", INK, chart.depot),) if any(depots) else ()
    return Drawing(_paint(picture), key, _left_out(("stops", len(frame), len(chart.data))))


def mercator(latitude: float, longitude: float) -> Point:
    """East and north of a place on Mercator's projection, in degrees of longitude (at most 85 degrees from the
    equator)."""
    phi = math.radians(min(max(latitude, -85.0), 85.0))
    return longitude, math.degrees(math.asinh(math.tan(phi)))


def _on_map(latitudes: pd.Series, longitudes: pd.Series, width: int) -> tuple[list[Point], Picture]:
    """Each place in pixels, and a picture with meridians and parallels."""
    flat = [mercator(number(a), number(o)) for a, o in zip(latitudes, longitudes, strict=True)] or [(0.0, 0.0)]
    west, east = min(x for x, _ in flat), max(x for x, _ in flat)
    south, north = min(y for _, y in flat), max(y for _, y in flat)
    shape = (north - south) / max(east - west, 1e-6)
    inner = width - 2 * MARGIN
    height = round(min(max(shape, 0.4), 0.72 if width > NARROW else 1.25) * inner) + 2 * MARGIN
    scale = min(inner / max(east - west, 0.01), (height - 2 * MARGIN) / max(north - south, 0.01))
    left, top = (west + east) / 2 - width / 2 / scale, (north + south) / 2 + height / 2 / scale

    def place(east: float, north: float) -> Point:
        return (east - left) * scale, (top - north) * scale

    picture = Picture(width, height)
    step = next((step for step in STEPS if width / scale / step <= 7), 45)
    for degrees in (n * step for n in range(math.ceil(-180 / step), math.floor(180 / step) + 1)):
        x, _ = place(degrees, 0.0)
        if 0 < x < width:
            picture.add_line((x, 0.0), (x, height), RULE, 1)
            picture.add_text(x + 3, height - 5, _degrees(degrees, "E", "W"), MUTED, 10)
        _, y = place(*mercator(degrees, 0.0))
        if abs(degrees) <= 85 and 0 < y < height - LINE:
            picture.add_line((0.0, y), (width, y), RULE, 1)
            picture.add_text(3, y - 3, _degrees(degrees, "N", "S"), MUTED, 10)
    return [place(*point) for point in flat][: len(latitudes)], picture


def _degrees(value: float, positive: str, negative: str) -> str:
    return f"{abs(value):g}° {positive if value > 0 else negative}" if value else "0°"


def _by_layer(layers: Sequence[Any], pairs: Iterable[tuple[int, int]], width: int) -> tuple[list[Point], Picture]:
    """Each place in pixels: a column a layer, places ordered so that few lines cross (barycentres of neighbours)."""
    columns: dict[Any, list[int]] = defaultdict(list)
    for i, name in enumerate(layers):
        columns[name].append(i)
    near: dict[int, list[int]] = defaultdict(list)
    for a, b in pairs:
        near[a].append(b)
        near[b].append(a)
    rank = {i: (r + 0.5) / len(members) for members in columns.values() for r, i in enumerate(members)}
    for _ in range(8):
        for members in columns.values():
            middle = {i: sum(rank[j] for j in near[i]) / len(near[i]) if near[i] else rank[i] for i in members}
            members.sort(key=lambda i: (middle[i], i))
            rank |= {i: (r + 0.5) / len(members) for r, i in enumerate(members)}
    height = min(max(max(map(len, columns.values()), default=1) * 20, 120), 560) + 2 * MARGIN
    across = (width - 2 * MARGIN - (110 if width > NARROW else 60)) / max(len(columns) - 1, 1)
    picture = Picture(width, height)
    left: dict[int, float] = {}
    for n, (name, members) in enumerate(columns.items()):
        left |= dict.fromkeys(members, MARGIN + n * across)
        picture.add_text(MARGIN + n * across, 12, shorten(str(name), max(int(across / 7), 6)), MUTED)
    return [(left[i], MARGIN + rank[i] * (height - 2 * MARGIN)) for i in range(len(layers))], picture


def _name_places(picture: Picture, most: int) -> None:
    """Write names beside places, the largest first, wherever they cover nothing written before."""
    taken = [
        (p.x - p.radius, p.y - p.radius, p.x + p.radius, p.y + p.radius) for p in picture.places if p.radius > SMALL
    ]
    for place in sorted((p for p in picture.places if p.name), key=lambda p: -p.radius):
        wide, away = text_width(place.name), place.radius + 4
        sides = [(place.x + away, place.y), (place.x - away - wide, place.y)]
        if place.radius > SMALL:
            rows = (place.y - away - LINE / 2, place.y + away + LINE / 2)
            sides += [(x, y) for x in (place.x - wide / 2, place.x - wide - 4, place.x + 4) for y in rows]
        for x, y in sides:
            box = (x, y - LINE / 2, x + wide, y + LINE / 2)
            inside = box[0] >= 0 and box[1] >= 0 and box[2] <= picture.width and box[3] <= picture.height
            if most > 0 and inside and not any(_overlap(box, other) for other in taken):
                picture.add_text(x, y + 4, place.name)
                taken.append(box)
                most -= 1
                break


def _overlap(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _paint(picture: Picture) -> Spec:
    """The picture in Vega-Lite: its scales are pixels."""
    pixels = {"type": "quantitative", "axis": None}
    x = pixels | {"field": "x", "scale": {"domain": [0, picture.width], "nice": False}}
    y = pixels | {"field": "y", "scale": {"domain": [picture.height, 0], "nice": False}}
    width, opacity, area, size = (
        {"field": name, "type": "quantitative", "scale": None, "legend": None} for name in ("w", "o", "a", "s")
    )
    circles = [
        {"x": round(p.x, 1), "y": round(p.y, 1), "a": math.pi * p.radius**2, "c": p.colour, "d": p.words}
        for p in sorted(picture.places, key=lambda p: -p.radius)
    ]
    line = {"type": "rule", "strokeCap": "round"}
    ends: Spec = {"x": x, "y": y, "x2": {"field": "x2"}, "y2": {"field": "y2"}}
    circle = {"type": "point", "filled": True, "opacity": 0.85, "stroke": PAPER, "strokeWidth": 1}
    text = {"type": "text", "align": "left", "baseline": "alphabetic"}
    halo = text | {"stroke": PAPER, "strokeWidth": 3, "strokeJoin": "round"}
    written: Spec = {"x": x, "y": y, "color": given("c"), "size": size, "text": {"field": "t"}}
    return {
        "width": picture.width,
        "height": picture.height,
        "padding": 0,
        "autosize": "none",
        "layer": [
            layer(picture.lines, line, **ends, color=given("c"), strokeWidth=width, opacity=opacity),
            layer(circles, circle, x=x, y=y, color=given("c"), size=area, description=told("d")),
            layer(picture.texts, halo, **written),
            layer(picture.texts, text, **written),
        ],
    }


def _left_out(*kept: tuple[str, int, int]) -> str:
    """A sentence on what is not drawn, from (what, how many are drawn, how many there are)."""
    said = [f"{drawn:,} of {all_:,} {what}" for what, drawn, all_ in kept if drawn < all_]
    return f"Drawn are {' and '.join(said)}." if said else ""
