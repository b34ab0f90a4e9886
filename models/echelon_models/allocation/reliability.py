"""How reliable suppliers are, from their past deliveries: survival analysis, so that open deliveries count too.

The product-limit estimator of Kaplan & Meier (1958), with open deliveries censored on the day up to which they are
known to be open; intervals by Greenwood's formula on the log-log scale (Kalbfleisch & Prentice, The Statistical
Analysis of Failure Time Data, 2nd ed., 2002, section 1.4), as `scipy.stats.ecdf` gives them.
"""

from __future__ import annotations

import warnings
from datetime import date

import numpy as np
import pandas as pd
from scipy import stats

COLUMNS = (
    *("supplier", "deliveries", "still_open", "on_time", "on_time_low", "on_time_high"),
    *("lead_time_mean", "lead_time_deviation", "lead_time_median", "lead_time_p90"),
)


def reliability(deliveries: pd.DataFrame, as_of: date | None, confidence: float) -> pd.DataFrame:
    """One row a supplier of `deliveries`; columns as in the result table, durations in days.

    `as_of` is the day on which open deliveries were still open (None: the latest day on which anything was ordered or
    received). What never arrived beyond the longest known duration counts as arriving then.
    """
    today = last_day(deliveries) if as_of is None else pd.Timestamp(as_of)
    rows = [
        (supplier, len(group), int(group["received"].isna().sum()), *_record(group, today, confidence))
        for supplier, group in deliveries.groupby("supplier", sort=True)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(dict.fromkeys(COLUMNS[3:], float))


def last_day(deliveries: pd.DataFrame) -> pd.Timestamp:
    """The latest day on which anything was ordered or received."""
    return max(deliveries["ordered"].max(), deliveries["received"].fillna(deliveries["ordered"]).max())


def _record(group: pd.DataFrame, today: pd.Timestamp, confidence: float) -> tuple[float, ...]:
    """on_time, its interval, mean, deviation, median and 90% quantile of the lead time; NaN where nothing arrived."""
    if group["received"].isna().all():
        return (np.nan,) * 7
    on_time, low, high = _on_time(group, today, confidence)
    known = _survival(group, "ordered", today)
    days, reached = known.cdf.quantiles, known.cdf.probabilities
    weights = np.diff(reached, prepend=0.0)
    weights[-1] += 1.0 - reached[-1]
    mean = float(weights @ days)
    deviation = float(np.sqrt(weights @ (days - mean) ** 2))
    return on_time, low, high, mean, deviation, _quantile(days, reached, 0.5), _quantile(days, reached, 0.9)


def _survival(group: pd.DataFrame, since: str, today: pd.Timestamp) -> stats._result_classes.ECDFResult:  # type: ignore[name-defined]
    """The estimate of the days from the date in column `since` to arrival."""
    is_open = group["received"].isna()
    days = (group["received"].fillna(today) - group[since]).dt.days.to_numpy(dtype=float)
    return stats.ecdf(stats.CensoredData(uncensored=days[~is_open], right=days[is_open]))


def _on_time(group: pd.DataFrame, today: pd.Timestamp, confidence: float) -> tuple[float, float, float]:
    """Probability of arriving by the promised day, and its interval. Where all or none were on time, Greenwood's
    formula has no width: the exact binomial interval of the deliveries received is taken."""
    estimate = _survival(group, "promised", today).cdf
    on_time = float(estimate.evaluate(0.0))
    if 0.0 < on_time < 1.0:
        with warnings.catch_warnings():  # scipy warns of the ends of the curve, where the interval has no width
            warnings.simplefilter("ignore", RuntimeWarning)
            interval = estimate.confidence_interval(confidence, method="log-log")
            low, high = float(interval.low.evaluate(0.0)), float(interval.high.evaluate(0.0))
        if low == low and high == high:
            return on_time, low, high
    received = int(group["received"].notna().sum())
    exact = stats.binomtest(round(on_time * received), received).proportion_ci(confidence)
    return on_time, float(exact.low), float(exact.high)


def _quantile(days: np.ndarray, reached: np.ndarray, part: float) -> float:
    """The least number of days within which this part arrives; NaN if it never did."""
    enough = np.flatnonzero(reached >= part - 1e-12)
    return float(days[enough[0]]) if len(enough) else np.nan
