"""A chart as drawings that stand in the page itself: SVG by Vega-Lite, once for wide and once for narrow screens, in
colours that the page's style decides. Nothing is left to run in the reader's browser."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from xml.etree import ElementTree

import vl_convert
from markupsafe import Markup

from echelon.charts import Bars, Chart, Frontier, Heat, Network, Ranges, Routes, Timeline, Tornado
from echelon.errors import shorten
from echelon.report.bars import bars, heat, ranges, tornado
from echelon.report.grammar import INK, MUTED, RULE, Drawing, Key, Spec
from echelon.report.lines import frontier, timeline
from echelon.report.maps import network, routes

KINDS: dict[type[Chart], Callable[[Any, int], Drawing]] = {
    Bars: bars,
    Tornado: tornado,
    Ranges: ranges,
    Heat: heat,
    Timeline: timeline,
    Frontier: frontier,
    Network: network,
    Routes: routes,
}
WIDE, SLIM, SMALL = 860, 344, 330  # pixels: on wide and narrow screens; one of several small drawings
VERSION = "6.1"  # of Vega-Lite
DROPPED = ("role", "aria-label", "aria-roledescription", "aria-hidden", "pointer-events", "class")
NOT_MARKS = ("axis", "legend", "group mark container")
AXIS = {
    "labelColor": MUTED,
    "titleColor": MUTED,
    "titleFontWeight": "normal",
    "domainColor": RULE,
    "gridColor": RULE,
    "tickColor": RULE,
    "labelFontSize": 12,
    "titleFontSize": 12,
    "labelPadding": 5,
    "titlePadding": 8,
}
THEME = {
    "font": "Helvetica, Arial, sans-serif",
    "background": None,
    "view": {"stroke": None},
    "axis": AXIS,
    "axisY": {"domain": False, "ticks": False, "titleAngle": 0, "titleAlign": "left", "titleX": 0, "titleY": -10},
    "axisX": {"labelPadding": 8},
    "axisXBand": {"grid": False},
    "text": {"color": INK, "fontSize": 12},
    "legend": {"disable": True},
}


@dataclass(frozen=True)
class Figure:
    """A drawn chart: its drawings as (width, heading, SVG), where width is "wide", "slim" or, side by side, "small";
    its key; a sentence on what could not be drawn."""

    drawings: tuple[tuple[str, str, Markup], ...]
    key: Key = ()
    left_out: str = ""


def draw(chart: Chart) -> Figure:
    """Draw a chart. Raises ValueError if the plotting library cannot."""
    if isinstance(chart, Timeline) and chart.facet:
        return _small_ones(chart)
    wide, slim = (KINDS[type(chart)](chart, width) for width in (WIDE, SLIM))
    drawings = (("wide", "", _svg(wide.spec, WIDE, chart.title)), ("slim", "", _svg(slim.spec, SLIM, chart.title)))
    return Figure(drawings, wide.key, wide.left_out)


def _small_ones(chart: Timeline) -> Figure:
    """One small drawing for each value of the facet."""
    drawings: list[tuple[str, str, Markup]] = []
    key: Key = ()
    for name, part in chart.data.groupby(chart.facet, sort=False):
        drawn = timeline(replace(chart, data=part, facet=""), SMALL)
        heading, key = shorten(str(name)), drawn.key
        drawings.append(("small", heading, _svg(drawn.spec, SMALL, f"{chart.title}: {heading}")))
    return Figure(tuple(drawings), key)


def _svg(spec: Spec, width: int, title: str) -> Markup:
    whole = {
        "$schema": f"https://vega.github.io/schema/vega-lite/v{VERSION[0]}.json",
        "width": width,
        "padding": {"left": 2, "right": 8, "top": 4, "bottom": 2},
        "autosize": {"type": "fit-x", "contains": "padding"},
        "config": THEME,
    }
    return tidy(vl_convert.vegalite_to_svg(whole | spec, vl_version=VERSION, allowed_base_urls=[]), title)


def tidy(svg: str, title: str) -> Markup:
    """The SVG as part of a page: one picture with a name, as wide as its place, each mark's words as its tooltip."""
    root = ElementTree.fromstring(svg)
    for parent in list(root.iter()):
        parent.tag = parent.tag.rpartition("}")[2]
        words, what = parent.get("aria-label", ""), parent.get("aria-roledescription", "")
        for name in DROPPED:
            parent.attrib.pop(name, None)
        for child in [child for child in parent if _draws_nothing(child)]:
            parent.remove(child)
        if words and what not in NOT_MARKS:
            ElementTree.SubElement(parent, "title").text = words
    root.attrib = {"viewBox": root.attrib["viewBox"], "role": "img", "aria-label": title}
    return Markup(ElementTree.tostring(root, encoding="unicode"))


def _draws_nothing(element: ElementTree.Element) -> bool:
    """An empty path, or a label that found no room."""
    return (element.tag.endswith("}path") and not element.get("d")) or element.get("opacity") == "0"
