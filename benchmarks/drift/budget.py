"""The gate: whether int8 is within the budget of its model's card."""

from __future__ import annotations

from benchmarks.drift.drift import ModelDrift
from edge_app.models.card import Card

GATED = "int8"
"""The variant that the budget applies to and that the app serves."""


def failures(card: Card, drift: ModelDrift) -> list[str]:
    """A sentence with both numbers for each limit of the card's budget that int8 exceeds on the
    test set; none if it was not measured."""
    int8, budget, failed = drift.variants.get(GATED), card.budget, []
    if int8 is None:
        return []
    size = card.variants[GATED].bytes
    # Both comparisons also fail for NaN.
    if not int8.accuracy_loss_points <= budget.accuracy_loss_points:
        failed.append(
            f"int8 lost {int8.accuracy_loss_points:.2f} percentage points of accuracy "
            f"({drift.original.accuracy:.2%} -> {int8.accuracy:.2%}); its card allows "
            f"{budget.accuracy_loss_points:g}"
        )
    if not int8.agreement >= budget.agreement:
        failed.append(
            f"int8 gives the original's answer for {int8.agreement:.2%} of {drift.images:,} "
            f"images; its card asks for {budget.agreement:.2%}"
        )
    if budget.bytes is not None and size > budget.bytes:
        failed.append(f"int8 has {size:,} bytes; its card allows {budget.bytes:,}")
    return [
        f"Model {card.name!r} exceeds its budget: {reason}. Convert it again, or serve another "
        "variant."
        for reason in failed
    ]
