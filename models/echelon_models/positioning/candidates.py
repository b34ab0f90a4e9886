"""Candidate times: the few service times among which an optimal plan is sure to be found.

Where all safety stock is concave in the net time, a best plan lies at a vertex of the set of all plans: there each time
is tied to a bound by a chain of equalities S_i = SI_i + L_i, SI_j = S_i. So the closure of the bounds under adding lead
times downstream, subtracting them upstream, and passing on along arcs holds a best plan. A stage whose lead time varies
may also sit at any step between its shortest and longest one; where stock is not concave (fill rate, gamma, bootstrap)
and where limits are shared, every step is a candidate. Sets of steps are the bits of whole numbers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from echelon_models.positioning.network import Network


def candidate_times(
    network: Network, active: Sequence[bool], every_step: bool
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Candidate inbound and service times of each active stage, ascending steps; those of the others are empty."""
    n = network
    allowed_in = [_range(int(n.earliest[i]), int(n.latest[i])) for i in range(len(n))]
    allowed_out = [_range(int(n.least[i]), int(n.most[i])) for i in range(len(n))]
    inbound = [1 << int(n.earliest[i]) for i in range(len(n))]
    quoted = [1 << int(n.least[i]) | 1 << int(n.most[i]) for i in range(len(n))]
    for i in range(len(n)):
        if every_step or not _concave(n, i):
            inbound[i], quoted[i] = allowed_in[i], allowed_out[i]
    changed, forward = not every_step, True
    while changed:
        changed = False
        for i in range(len(n)) if forward else reversed(range(len(n))):
            if not active[i]:
                continue
            before = inbound[i], quoted[i]
            for p in n.predecessors[i]:
                inbound[i] |= quoted[p] if active[p] else 0
            for steps in _kinks(n, i):
                inbound[i] |= quoted[i] >> steps
            inbound[i] &= allowed_in[i]
            for steps in _kinks(n, i):
                quoted[i] |= inbound[i] << steps
            for j in n.successors[i]:
                quoted[i] |= inbound[j] if active[j] else 0
            quoted[i] &= allowed_out[i]
            changed |= before != (inbound[i], quoted[i])
        forward = not forward
    empty = np.zeros(0, dtype=int)
    return (
        [_steps(bits) if active[i] else empty for i, bits in enumerate(inbound)],
        [_steps(bits) if active[i] else empty for i, bits in enumerate(quoted)],
    )


def _concave(n: Network, i: int) -> bool:
    """Whether stock is concave between the kinks."""
    return n.demand_model == "normal" and n.kind[i] == "cycle"


def _kinks(n: Network, i: int) -> range:
    """The S - SI at which stock is not concave: where the net time becomes 0, for each lead time the stage may have."""
    return range(int(n.lead[i].steps[0]), n.lead[i].longest + 1)


def _range(first: int, last: int) -> int:
    """The steps from first to last as bits."""
    return ((1 << (last + 1)) - 1) >> first << first if last >= first else 1 << first


def _steps(bits: int) -> np.ndarray:
    """The steps whose bits are set, ascending."""
    raw = np.frombuffer(bits.to_bytes(bits.bit_length() // 8 + 1, "little"), dtype=np.uint8)
    return np.flatnonzero(np.unpackbits(raw, bitorder="little"))
