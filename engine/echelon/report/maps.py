"""Places and what goes between them: on a map sketch (Mercator) where coordinates are known, else side by side by layer.

Everything is placed here, in pixels, so that names can be kept apart; Vega-Lite only paints it."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from echelon.charts import Network, Routes, distinct
from echelon.errors import shorten
from echelon.report.kinds import COLOURS, INK, MUTED, NARROW, PAPER, RULE, Drawing, number, unique_names
from echelon.report.numbers import amount

MOST_PLACES, MOST_ARCS = 300, 600
MARGIN = 30  # pixels around what is drawn
LINE = 14.0  # pixels that a line of text takes


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
    lines: list[dict[str, Any]] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    texts: list[dict[str, Any]] = field(default_factory=list)


def network(chart: Network, width: int) -> Drawing:
    """Places as circles as large as what they hold, flows as lines as wide as what they carry."""
    frame = chart.data.nlargest(MOST_PLACES, chart.size, keep="first").sort_index().reset_index(drop=True)
    names = unique_names(frame[chart.label], 40)
    index = {label: i for i, label in enumerate(frame[chart.label])}
    arcs = chart.arcs[chart.arcs["origin"].isin(index.keys()) & chart.arcs["destination"].isin(index.keys())]
    arcs = arcs.nlargest(MOST_ARCS, "quantity", keep="first")
    pairs = [(index[o], index[d]) for o, d in zip(arcs["origin"], arcs["destination"], strict=True)]
    if chart.latitude:
        points, picture = _on_map(frame[chart.latitude], frame[chart.longitude], width)
    else:
        points, picture = _by_layer(frame[chart.layer].tolist(), pairs, width)
    kinds = distinct(frame[chart.kind]) if chart.kind else []
    shades = {kind: COLOURS[n % len(COLOURS)] for n, kind in enumerate(kinds)}
    if len(kinds) > 1:
        shades[kinds[-1]] = COLOURS[-1]
    unit, most = chart.units.get(chart.size, ""), max(float(frame[chart.size].max()), 1e-9) if len(frame) else 1.0
    biggest = 17 if width > NARROW else 11
    for i, (x, y) in enumerate(points):
        size, kind = number(frame[chart.size].iloc[i]), frame[chart.kind].iloc[i] if chart.kind else ""
        radius = max(biggest * math.sqrt(max(size, 0.0) / most), 2.2)
        words = f"{names[i]}{f' ({shorten(str(kind))})' if kind else ''}: {chart.size} {amount(size, unit)}"
        picture.places.append(Place(x, y, radius, shades.get(kind, COLOURS[0]), names[i], words))
    heaviest = max(float(arcs["quantity"].max()), 1e-9) if len(arcs) else 1.0
    for (a, b), quantity in zip(pairs, arcs["quantity"], strict=True):
        picture.lines.append(_line(points[a], points[b], MUTED, 0.7 + 6 * number(quantity) / heaviest, 0.45))
    _name_places(picture, 45 if width > NARROW else 14)
    key = tuple(("dot", shades[kind], shorten(str(kind))) for kind in kinds)
    return Drawing(_paint(picture), key, _left_out(len(chart.data), len(frame), len(chart.arcs), len(arcs)))


def routes(chart: Routes, width: int) -> Drawing:
    """Tours as coloured lines from stop to stop, named where they are farthest from where they begin."""
    frame = chart.data.head(MOST_ARCS)
    points, picture = _on_map(frame[chart.latitude], frame[chart.longitude], width)
    depots = frame[chart.depot].tolist() if chart.depot else [False] * len(frame)
    tours: dict[Any, list[int]] = defaultdict(list)
    for i, route in enumerate(frame[chart.route]):
        tours[route].append(i)
    for n, (route, stops) in enumerate(tours.items()):
        colour = COLOURS[n % len(COLOURS)]
        for a, b in zip(stops, stops[1:], strict=False):
            picture.lines.append(_line(points[a], points[b], colour, 2.0, 0.85))
        farthest = max(stops, key=lambda i: math.dist(points[i], points[stops[0]]))
        for i in stops:
            name = shorten(str(route), 24) if i == farthest else ""
            stop = shorten(str(frame[chart.stop].iloc[i]))
            radius, shade = (6.5, INK) if depots[i] else (3.2, colour)
            name = stop if depots[i] else name
            picture.places.append(Place(*points[i], radius, shade, name, f"{shorten(str(route))}: {stop}"))
    picture.places.sort(key=lambda p: -p.radius)
    _name_places(picture, 40 if width > NARROW else 12)
    key = (("dot", INK, chart.depot),) if any(depots) else ()
    return Drawing(_paint(picture), key, _left_out(len(chart.data), len(frame), 0, 0))


def mercator(latitude: float, longitude: float) -> tuple[float, float]:
    """East and north of a place on Mercator's projection, in degrees of longitude at the equator."""
    phi = math.radians(min(max(latitude, -85.0), 85.0))
    return longitude, math.degrees(math.asinh(math.tan(phi)))


def _on_map(latitudes: pd.Series, longitudes: pd.Series, width: int) -> tuple[list[tuple[float, float]], Picture]:
    """Each place in pixels, and a picture with the lines of a map: meridians and parallels."""
    flat = [mercator(number(a), number(o)) for a, o in zip(latitudes, longitudes, strict=True)] or [(0.0, 0.0)]
    west, east = min(x for x, _ in flat), max(x for x, _ in flat)
    south, north = min(y for _, y in flat), max(y for _, y in flat)
    shape = (north - south) / max(east - west, 1e-6)
    height = round(min(max(shape, 0.4), 0.72 if width > NARROW else 1.25) * (width - 2 * MARGIN)) + 2 * MARGIN
    per_degree = min((width - 2 * MARGIN) / max(east - west, 0.01), (height - 2 * MARGIN) / max(north - south, 0.01))
    left, top = (west + east) / 2 - width / 2 / per_degree, (north + south) / 2 + height / 2 / per_degree

    def place(east: float, north: float) -> tuple[float, float]:
        return (east - left) * per_degree, (top - north) * per_degree

    picture = Picture(width, height)
    step = next((s for s in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30) if width / per_degree / s <= 7), 45)
    for n in range(math.ceil(-180 / step), math.floor(180 / step) + 1):
        x, _ = place(n * step, 0.0)
        if 0 < x < width:
            picture.lines.append(_line((x, 0.0), (x, height), RULE, 1, 1))
            picture.texts.append(_text(x + 3, height - 5, _degrees(n * step, "E", "W"), MUTED, 10))
        _, y = place(*mercator(n * step, 0.0)) if abs(n * step) <= 85 else (0.0, -1.0)
        if 0 < y < height - LINE:
            picture.lines.append(_line((0.0, y), (width, y), RULE, 1, 1))
            picture.texts.append(_text(3, y - 3, _degrees(n * step, "N", "S"), MUTED, 10))
    return [place(*point) for point in flat][: len(latitudes)], picture


def _degrees(value: float, positive: str, negative: str) -> str:
    return f"{abs(value):g}° {positive if value > 0 else negative}" if value else "0°"


def _by_layer(layers: Sequence[Any], pairs: Iterable[tuple[int, int]], width: int) -> tuple[list[tuple[float, float]], Picture]:
    """Each place in pixels: a column a layer, places ordered so that few lines cross (barycentres of neighbours)."""
    columns: dict[Any, list[int]] = defaultdict(list)
    for i, layer in enumerate(layers):
        columns[layer].append(i)
    near: dict[int, list[int]] = defaultdict(list)
    for a, b in pairs:
        near[a].append(b)
        near[b].append(a)
    rank = {i: r / len(members) for members in columns.values() for r, i in enumerate(members)}
    for _ in range(8):
        for members in columns.values():
            middle = {i: sum(rank[j] for j in near[i]) / len(near[i]) if near[i] else rank[i] for i in members}
            members.sort(key=lambda i: (middle[i], i))
            rank |= {i: (r + 0.5) / len(members) for r, i in enumerate(members)}
    tallest = max(map(len, columns.values()), default=1)
    height = min(max(tallest * 20, 200), 560) + 2 * MARGIN
    across = (width - 2 * MARGIN - (110 if width > NARROW else 60)) / max(len(columns) - 1, 1)
    position = {i: MARGIN + n * across for n, members in enumerate(columns.values()) for i in members}
    picture = Picture(width, height)
    for n, layer in enumerate(columns):
        picture.texts.append(_text(MARGIN + n * across, 12, shorten(str(layer), max(int(across / 7), 6)), MUTED, 12))
    return [(position[i], MARGIN + rank[i] * (height - 2 * MARGIN)) for i in range(len(layers))], picture


def _name_places(picture: Picture, most: int) -> None:
    """Write names beside places, the largest first, wherever they cover nothing written before."""
    taken = [(p.x - p.radius, p.y - p.radius, p.x + p.radius, p.y + p.radius) for p in picture.places if p.radius > 6]
    for place in sorted(picture.places, key=lambda p: -p.radius):
        wide = _width(place.name)
        for x in (place.x + place.radius + 4, place.x - place.radius - 4 - wide):
            box = (x, place.y - LINE / 2, x + wide, place.y + LINE / 2)
            free = box[0] >= 0 and box[2] <= picture.width and not any(_overlap(box, b) for b in taken)
            if place.name and most and free:
                picture.texts.append(_text(x, place.y + 4, place.name, INK, 12))
                taken.append(box)
                most -= 1
                break


def _width(text: str) -> float:
    """Pixels that a text of 12 pixels takes, or a little more."""
    return sum(8.3 if c.isupper() or c in "@%MW" else 6.7 for c in text)


def _overlap(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _line(a: tuple[float, float], b: tuple[float, float], colour: str, width: float, opacity: float) -> dict[str, Any]:
    ends = {"x": round(a[0], 1), "y": round(a[1], 1), "x2": round(b[0], 1), "y2": round(b[1], 1)}
    return ends | {"c": colour, "w": round(width, 1), "o": opacity}


def _text(x: float, y: float, text: str, colour: str, size: int) -> dict[str, Any]:
    return {"x": round(x, 1), "y": round(y, 1), "t": text, "c": colour, "s": size}


def _paint(picture: Picture) -> dict[str, Any]:
    """The picture in Vega-Lite: its scales are pixels."""
    x = {"field": "x", "type": "quantitative", "axis": None, "scale": {"domain": [0, picture.width], "nice": False}}
    y = {"field": "y", "type": "quantitative", "axis": None, "scale": {"domain": [picture.height, 0], "nice": False}}
    colour = {"field": "c", "type": "nominal", "scale": None}
    circles = [
        {"x": round(p.x, 1), "y": round(p.y, 1), "a": math.pi * p.radius**2, "c": p.colour, "d": p.words}
        for p in sorted(picture.places, key=lambda p: -p.radius)
    ]
    circle = {"type": "point", "filled": True, "opacity": 0.85, "stroke": PAPER, "strokeWidth": 1}
    writing = {"type": "text", "align": "left", "baseline": "alphabetic"}
    around = {"stroke": PAPER, "strokeWidth": 3, "strokeJoin": "round"}
    plain = {"scale": None, "type": "quantitative"}
    return {
        "width": picture.width,
        "height": picture.height,
        "padding": 0,
        "autosize": "none",
        "layer": [
            {
                "data": {"values": picture.lines},
                "mark": {"type": "rule", "strokeCap": "round"},
                "encoding": {
                    "x": x, "y": y, "x2": {"field": "x2"}, "y2": {"field": "y2"}, "color": colour,
                    "strokeWidth": {"field": "w", **plain}, "opacity": {"field": "o", **plain},
                },
            },
            {
                "data": {"values": circles},
                "mark": circle,
                "encoding": {"x": x, "y": y, "color": colour, "size": {"field": "a", **plain}, "description": {"field": "d"}},
            },
            *(
                {
                    "data": {"values": picture.texts},
                    "mark": writing | edge,
                    "encoding": {"x": x, "y": y, "color": colour, "text": {"field": "t"}, "size": {"field": "s", **plain}},
                }
                for edge in (around, {})
            ),
        ],
    }  # fmt: skip


def _left_out(places: int, drawn: int, arcs: int, lines: int) -> str:
    """A sentence on what is not drawn."""
    said = [f"{kept:,} of {all_:,} {what}" for kept, all_, what in ((drawn, places, "places"), (lines, arcs, "flows")) if kept < all_]
    return f"Drawn are the largest: {' and '.join(said)}." if said else ""
