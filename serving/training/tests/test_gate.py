"""Which candidates may replace the current version."""

from typing import Any

import pytest

from training.gate import BUDGET_MILLISECONDS, decide, sentences

from .conftest import CLASSES


def _evaluation(
    accuracy: float = 0.86, error: float = 0.03, cpu: float = 8.0, recall: dict[str, float] | None = None
) -> dict[str, Any]:
    recalls = dict.fromkeys(CLASSES, 0.8) | (recall or {})
    per_class = [{"class": name, "recall": value} for name, value in recalls.items()]
    test = {"accuracy": accuracy, "calibration_error": error, "per_class": per_class}
    # Only the CPU time of one thread counts, not that of two.
    milliseconds = [{"threads": 2, "cpu": 10 * cpu}, {"threads": 1, "cpu": cpu}]
    return {"version": 3, "test": test, "milliseconds": milliseconds}


IN_PLACE = _evaluation()
CASES = {
    "better": (_evaluation(accuracy=0.87), "accepted", "accuracy 0.87, current version 3 has 0.86, limit 0.86"),
    "equal, better calibrated": (_evaluation(error=0.02), "accepted", "accuracy 0.86, current version 3 has 0.86"),
    "identical": (_evaluation(), "refused", "calibration error at equal accuracy 0.03, current version 3 has 0.03"),
    "equal, worse calibrated": (
        _evaluation(error=0.04),
        "refused",
        "calibration error at equal accuracy 0.04, current version 3 has 0.03, limit 0.03",
    ),
    "worse": (_evaluation(accuracy=0.85), "refused", "accuracy 0.85, current version 3 has 0.86, limit 0.86"),
    "better, but overconfident": (
        _evaluation(accuracy=0.87, error=0.06),
        "refused",
        "calibration error 0.06, current version 3 has 0.03, limit 0.05",
    ),
    "better, a little less calibrated": (_evaluation(accuracy=0.87, error=0.05), "accepted", "accuracy 0.87"),
    "one class not learned": (
        _evaluation(accuracy=0.87, recall={"hat": 0.4}),
        "refused",
        "recall of hat 0.4, current version 3 has 0.8, limit 0.7",
    ),
    "one class at its limit": (_evaluation(accuracy=0.87, recall={"hat": 0.7}), "accepted", "accuracy 0.87"),
    "slower than the budget": (
        _evaluation(accuracy=0.87, cpu=BUDGET_MILLISECONDS + 1),
        "refused",
        "CPU milliseconds 51, current version 3 has 8, limit 50",
    ),
    "slower within the budget": (_evaluation(accuracy=0.87, cpu=40.0), "accepted", "accuracy 0.87"),
}


@pytest.mark.parametrize(("candidate", "decision", "line"), CASES.values(), ids=CASES)
def test_decision(candidate: dict[str, Any], decision: str, line: str) -> None:
    """Against the same current version. One line has the reason and both figures."""
    gate = decide(candidate, IN_PLACE)
    lines = sentences(gate)
    assert (gate["decision"], gate["against"]) == (decision, 3)
    assert len(lines) == 1 and lines[0].startswith(f"{decision}: {line}")


def test_the_first_version_is_always_allowed() -> None:
    """Its metrics do not matter."""
    gate = decide(_evaluation(accuracy=0.1, error=0.5, cpu=1000.0), None)
    assert gate == {"decision": "first", "against": None, "checks": []}
    assert sentences(gate) == ["first version: no current version to compare with"]


def test_each_failed_check_has_a_line() -> None:
    """All failed checks of a bad candidate are listed."""
    lines = sentences(decide(_evaluation(accuracy=0.5, error=0.2, cpu=99.0, recall={"hat": 0, "dress": 0}), IN_PLACE))
    assert len(lines) == 5


@pytest.mark.parametrize(("in_place", "limit"), [(0.9, 0.8), (0.55, 0.5), (0.5, 0.5), (0.45, 0.35), (0.05, -0.05)])
def test_recall_may_be_low_only_if_it_was_low(in_place: float, limit: float) -> None:
    """The minimum of one half applies to classes that were above it."""
    gate = decide(_evaluation(accuracy=0.87), _evaluation(recall={"skirt": in_place}))
    assert next(check["limit"] for check in gate["checks"] if check["name"] == "recall of skirt") == limit


def test_a_badly_calibrated_current_version_sets_the_limit() -> None:
    """An improvement is enough."""
    assert decide(_evaluation(accuracy=0.87, error=0.08), _evaluation(error=0.09))["decision"] == "accepted"
