"""Decides whether a candidate may take the place of the version that serves now, by figures of the same test photos."""

from typing import Any, NamedTuple

# A probability is worth printing when it is off by less than this on average.
CALIBRATION_ERROR = 0.05
# The rarest classes have twelve test photos: one more wrong is 8 points, two are a change for the worse.
RECALL_DROP = 0.1
# Below one in two, a class has collapsed.
RECALL_FLOOR = 0.5
# CPU time of one photo on one thread: twenty photos a second from each core. A full Xception needs five times that.
BUDGET_MILLISECONDS = 50.0
Evaluation = dict[str, Any]


class Check(NamedTuple):
    """One figure of the candidate beside that of the version in place, and the limit that follows from it."""

    name: str
    candidate: float
    in_place: float
    limit: float
    passed: bool


def _quality(candidate: Evaluation, in_place: Evaluation) -> list[Check]:
    """Accuracy must not fall; where it is equal, the calibration error has to."""
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
    """The "gate" part of the candidate's evaluation.

    Both are evaluations with "version", "test" and "milliseconds", measured on the same photos and the same machine;
    None: the candidate is the first version and has nothing to beat.
    """
    if in_place is None:
        return {"decision": "first", "against": None, "checks": []}
    new, old = candidate["test"], in_place["test"]
    checks = [*_quality(new, old), *_recalls(new, old), _latency(candidate, in_place)]
    decision = "accepted" if all(check.passed for check in checks) else "refused"
    return {"decision": decision, "against": in_place["version"], "checks": [check._asdict() for check in checks]}


def alias_of(gate: dict[str, Any]) -> str:
    """What the model registry calls a version by the gate's decision."""
    return "candidate" if gate["decision"] == "refused" else "champion"


def sentences(gate: dict[str, Any]) -> list[str]:
    """The decision, one line for each reason, for people."""
    if gate["decision"] == "first":
        return ["first version: nothing in place to beat"]
    accuracy = next(check for check in gate["checks"] if check["name"] == "accuracy")
    failed = [check for check in gate["checks"] if not check["passed"]]
    return [
        "{decision}: {name} {candidate:g}, version {against} in place {in_place:g}, limit {limit:g}".format(
            **gate, **check
        )
        for check in failed or [accuracy]
    ]
