"""Distances on the globe, for families whose places have coordinates."""

from __future__ import annotations

from typing import Any

import numpy as np

EARTH_RADIUS = 6371.0088  # km, the mean radius (IUGG)


def great_circle(latitude: Any, longitude: Any, other_latitude: Any, other_longitude: Any) -> np.ndarray:
    """Distance in km between points in degrees on a sphere, by the haversine formula (Sinnott 1984)."""
    phi, theta, other_phi, other_theta = (
        np.radians(np.asarray(angle, dtype=float)) for angle in (latitude, longitude, other_latitude, other_longitude)
    )
    half_chord = (
        np.sin((other_phi - phi) / 2) ** 2 + np.cos(phi) * np.cos(other_phi) * np.sin((other_theta - theta) / 2) ** 2
    )
    return 2 * EARTH_RADIUS * np.arcsin(np.sqrt(np.clip(half_chord, 0.0, 1.0)))
