"""Playwright's ``expect``, which looks ten times a second however long it may wait."""

from __future__ import annotations

import time

from playwright.sync_api import expect as expect_once

# Playwright itself looks but twice a second where it may wait for more than 2.5 s.
_ROUND_MS = 2000


def expect(actual) -> _Expectation:
    """Return what is expected of a locator or page, for ``timeout`` ms, 5000 if none is given."""
    return _Expectation(expect_once(actual))


class _Expectation:
    def __init__(self, assertions) -> None:
        self._assertions = assertions

    def __getattr__(self, name: str):
        assertion = getattr(self._assertions, name)

        def holds(*values, timeout: float = 5000, **options) -> None:
            end = time.monotonic() + timeout / 1000
            while (left := 1000 * (end - time.monotonic())) > _ROUND_MS:
                begun = time.monotonic()
                try:
                    return assertion(*values, timeout=_ROUND_MS, **options)
                except AssertionError:
                    # Nothing is waited for once the page has gone.
                    if 1000 * (time.monotonic() - begun) < _ROUND_MS / 2:
                        raise
            return assertion(*values, timeout=max(left, 1), **options)

        return holds
