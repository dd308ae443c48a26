"""The gate: whether int8 is within the budget that its model's card allows."""

from __future__ import annotations

from benchmarks.drift.drift import ModelDrift
from edge_app.models.card import Card

GATED = "int8"
"""The variant that the budget is for, and that the app serves."""


def failures(card: Card, drift: ModelDrift) -> list[str]:
    """A sentence, with both numbers, for each part of the budget that int8 overruns.

    Args:
        card: the model's.
        drift: the model on the test set, against its original.
    """
    int8, size, budget = drift.variants[GATED], card.variants[GATED].bytes, card.budget
    failed = []
    # Both written so that NaN fails.
    if not int8.accuracy_loss_points <= budget.accuracy_loss_points:
        failed.append(
            f"int8 lost {int8.accuracy_loss_points:.2f} percentage points of accuracy "
            f"({drift.original.accuracy:.2%} -> {int8.accuracy:.2%}), and its card allows "
            f"{budget.accuracy_loss_points:g}"
        )
    if not int8.agreement >= budget.agreement:
        failed.append(
            f"int8 gives the original's answer for {int8.agreement:.2%} of {drift.images:,} "
            f"images, and its card asks for {budget.agreement:.2%}"
        )
    if budget.bytes is not None and size > budget.bytes:
        failed.append(f"int8 has {size:,} bytes, and its card allows {budget.bytes:,}")
    return [
        f"Model {card.name!r} is past its budget: {reason}; convert it again, or serve another "
        "variant."
        for reason in failed
    ]
