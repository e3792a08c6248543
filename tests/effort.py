"""How much the dearest property tests try: a slice in `make test`, all of it in `make test-long`.

A module that asks here is marked `deep`, by which the long run takes it again.
"""

from __future__ import annotations

from hypothesis import settings

__all__ = ["examples"]


def examples(count: int) -> int:
    """Give `count` under the hypothesis profile "long", else a quarter of it, at least 20."""
    return count if settings.get_current_profile_name() == "long" else max(20, count // 4)
