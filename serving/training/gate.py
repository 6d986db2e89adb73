"""Decides whether a candidate may replace the current version, by metrics on the same test photos."""

from typing import Any, NamedTuple

# Probabilities are useful if their mean error is below this.
CALIBRATION_ERROR = 0.05
# The rarest classes have 12 test photos: one more error is 8 points and tolerated, two are not.
RECALL_DROP = 0.1
# Below one half, a class counts as not learned.
RECALL_FLOOR = 0.5
# CPU time of one photo on one thread: 20 photos per second and core. A full Xception needs five times as much.
BUDGET_MILLISECONDS = 50.0
Evaluation = dict[str, Any]


class Check(NamedTuple):
    """One metric of the candidate and of the current version, and the limit derived from it."""

    name: str
    candidate: float
    in_place: float
    limit: float
    passed: bool


def _quality(candidate: Evaluation, in_place: Evaluation) -> list[Check]:
    """Accuracy must not decrease. If it is equal, the calibration error must decrease."""
    new, old = candidate["accuracy"], in_place["accuracy"]
    error, old_error = candidate["calibration_error"], in_place["calibration_error"]
    accuracy = Check("accuracy", new, old, old, new >= old)
    if new == old:
        return [accuracy, Check("calibration error at equal accuracy", error, old_error, old_error, error < old_error)]
    limit = max(CALIBRATION_ERROR, old_error)
    return [accuracy, Check("calibration error", error, old_error, limit, error <= limit)]


def _recalls(candidate: Evaluation, in_place: Evaluation) -> list[Check]:
    checks = []
    for new, old in zip(candidate["per_class"], in_place["per_class"], strict=True):
        limit = round(old["recall"] - RECALL_DROP, 4)
        if old["recall"] >= RECALL_FLOOR:
            limit = max(limit, RECALL_FLOOR)
        name = f"recall of {new['class']}"
        checks.append(Check(name, new["recall"], old["recall"], limit, new["recall"] >= limit))
    return checks


def _cpu(evaluation: Evaluation) -> float:
    return float(next(row["cpu"] for row in evaluation["milliseconds"] if row["threads"] == 1))


def _latency(candidate: Evaluation, in_place: Evaluation) -> Check:
    new = _cpu(candidate)
    return Check("CPU milliseconds", new, _cpu(in_place), BUDGET_MILLISECONDS, new <= BUDGET_MILLISECONDS)


def decide(candidate: Evaluation, in_place: Evaluation | None) -> dict[str, Any]:
    """Returns the "gate" part of the candidate's evaluation.

    Both arguments are evaluations with "version", "test" and "milliseconds", measured on the same photos and machine.
    `in_place` is None if the candidate is the first version.
    """
    if in_place is None:
        return {"decision": "first", "against": None, "checks": []}
    new, old = candidate["test"], in_place["test"]
    checks = [*_quality(new, old), *_recalls(new, old), _latency(candidate, in_place)]
    decision = "accepted" if all(check.passed for check in checks) else "refused"
    return {"decision": decision, "against": in_place["version"], "checks": [check._asdict() for check in checks]}


def alias_of(gate: dict[str, Any]) -> str:
    """The alias in the model registry for a gate's decision."""
    return "candidate" if gate["decision"] == "refused" else "champion"


def sentences(gate: dict[str, Any]) -> list[str]:
    """The decision as text, one line per reason."""
    if gate["decision"] == "first":
        return ["first version: no current version to compare with"]
    accuracy = next(check for check in gate["checks"] if check["name"] == "accuracy")
    failed = [check for check in gate["checks"] if not check["passed"]]
    return [
        "{decision}: {name} {candidate:g}, current version {against} has {in_place:g}, limit {limit:g}".format(
            **gate, **check
        )
        for check in failed or [accuracy]
    ]
