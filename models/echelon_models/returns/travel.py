"""How far and how long it is from place to place: as the case tells it, or by coordinates, for every speed and time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from echelon.solvers.routing.problem import NO_WAY, Bands
from echelon.tables import Frames
from echelon_models.geography import great_circle
from echelon_models.returns.schema import ReturnsOptions

ALMOST = 1e-6  # a whole number that comes a trifle too large is not rounded up


@dataclass(frozen=True)
class Travel:
    """Square matrices over the places, `index[name]` being a place's row: km (NaN: no way), and minutes for each band
    of the day that begins at `begins[b]` seconds (NaN: by the speed)."""

    index: dict[str, int]
    km: np.ndarray
    begins: tuple[int, ...]
    minutes: tuple[np.ndarray, ...]

    def metres(self) -> np.ndarray:
        """Distances in whole metres, rounded up; NO_WAY where there is none."""
        return _whole(self.km * 1000.0)

    def seconds(self, speed: float) -> np.ndarray | Bands:
        """Times in whole seconds, rounded up, of a vehicle of this speed (km/hour); by the time of day where the case
        tells it."""
        by_speed = self.km / speed * 3600.0
        bands = tuple(_whole(np.where(np.isnan(given), by_speed, given * 60.0)) for given in self.minutes)
        return bands[0] if len(bands) == 1 else Bands(self.begins, bands)


def travel(full: Frames, options: ReturnsOptions) -> Travel:
    """The ways between all places of a completed case."""
    places = full["all_places"]
    index = {name: n for n, name in enumerate(places["place"])}
    latitude, longitude = places["latitude"].to_numpy(), places["longitude"].to_numpy()
    km = options.road_factor * great_circle(
        latitude[:, None], longitude[:, None], latitude[None, :], longitude[None, :]
    )
    given = full["distances"]
    rows = given["origin"].map(index).to_numpy(dtype=int), given["target"].map(index).to_numpy(dtype=int)
    km[rows] = given["km"].to_numpy(dtype=float)
    np.fill_diagonal(km, 0.0)
    begins = sorted({0, *given["from_time"].astype(int)})
    minutes = [_minutes(given[given["from_time"] == begin], index, len(places)) for begin in begins]
    for band in range(1, len(begins)):  # what a band does not tell holds on from the one before
        minutes[band] = np.where(np.isnan(minutes[band]), minutes[band - 1], minutes[band])
    return Travel(index, km, tuple(begins), tuple(minutes))


def _minutes(rows: pd.DataFrame, index: dict[str, int], count: int) -> np.ndarray:
    matrix = np.full((count, count), np.nan)
    matrix[rows["origin"].map(index).to_numpy(dtype=int), rows["target"].map(index).to_numpy(dtype=int)] = rows[
        "minutes"
    ].to_numpy(dtype=float)
    np.fill_diagonal(matrix, 0.0)
    return matrix


def _whole(figures: np.ndarray) -> np.ndarray:
    """Rounded up to whole numbers; NO_WAY for NaN."""
    return np.where(np.isnan(figures), NO_WAY, np.ceil(figures - ALMOST)).astype(np.int64)
