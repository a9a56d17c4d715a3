"""How many examples a property is tried on: a share of what the chosen Hypothesis profile says."""

from __future__ import annotations

import re

from hypothesis import HealthCheck, settings

_UNCHECKED = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]


def examples(share: float, **options) -> settings:
    """Return settings for ``share`` times the profile's examples, at least one.

    Parameters
    ----------
    share : float
        1 for a property that takes about 10 ms an example, less for slower ones.
    **options
        Other settings of Hypothesis.
    """
    count = max(1, round(share * settings.default.max_examples))
    return settings(max_examples=count, deadline=None, suppress_health_check=_UNCHECKED, **options)


def count_of(report) -> int:
    """Return how many examples passed in the test of a pytest report; 0 if it is no property."""
    # What `--hypothesis-show-statistics` prints; the plugin keeps it on each report.
    statistics = getattr(report, "_hypothesis_stats", "")
    return sum(map(int, re.findall(r"(\d+) passing", statistics)))
