"""Text that a spreadsheet would run is guarded, and comes back as it was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench._spreadsheet import guarded, unguarded

FORMULAS = ("=1+1", "+1", "-cmd", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "'=1", "'tis", "\uff1d1+1")


@pytest.mark.parametrize("text", FORMULAS)
def test_what_would_be_run_is_guarded(text: str) -> None:
    assert guarded(text) == "'" + text
    assert unguarded(guarded(text)) == text


def test_numbers_and_plain_text_stay_as_they_are() -> None:
    for plain in ("BTC/USDT", "", "a=b", "buy-1", -5, -0.5, None, True):
        assert guarded(plain) == plain


@given(st.text(alphabet="=+-@\t\r\n' a1"))
def test_every_text_comes_back_and_none_begins_like_a_formula(text: str) -> None:
    safe = guarded(text)
    assert unguarded(safe) == text
    assert not safe.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
