"""Evidence documents as runs leave them, made by the product's own functions from findings of its own rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pytest_mlgates.decision import Facts, GateOutcome, decide
from pytest_mlgates.evidence import Evidence, Interval
from pytest_mlgates.report import evidence_file
from pytest_mlgates.rules import Rule, at_least, at_most, is_true
from pytest_mlgates.verdict import Judgement, worst

#: What a name may hold that is more than a name to something that shows it.
HOSTILE = {
    "script": "<script>window.hit = 1</script>",
    "image": '<img src=x onerror="window.hit = 2">',
    "attribute": '" onmouseover="window.hit = 3" x=\'',
    "entity": "&lt;b&gt; &amp;",
    "newline": "first line\n::error file=a.py,line=1::second\r\nthird",
    "workflow": "::error::hit",
    "old_workflow": "##[error]hit",
    "ansi": "\x1b[31mred\x1b[0m\x1b]0;title\x07",
    "right_to_left": "abc\u202egnp.exe\u202c \u05e9\u05dc\u05d5\u05dd",
    "markdown": "[a](https://evil.example) ![b](x.png) **c** `d` | e | @all",
    "template": "{{ 7 * 7 }} {% raw %}",
    "long": "x" * 10_000,
    "control": "nul\x00bell\x07tab\tdel\x7f",
}

Judged = tuple[Evidence, Rule]


def gate(name: str, *judged: Judged, stage: str = "quality", trouble: str = "", at: str = "") -> GateOutcome:
    """A gate as it is reported after these judgements."""
    judgements = tuple(Judgement(evidence, rule(evidence)) for evidence, rule in judged)
    verdict = worst(one.verdict for one in judgements)
    return GateOutcome(name, verdict, judgements, trouble, stage, f"{name}.py::test", 0.25, at=at)


def gain(value: float, half: float, *, where: str = "", **details: Any) -> Evidence:
    """A paired gain between its bounds."""
    interval = Interval(value - half, value + half, 0.9, "paired DeLong, t")
    return Evidence("roc_auc gain", value, 5000, interval, where=where, subject="challenger", details=details)


def yes(measure: str, holds: bool, reason: str = "as it should be", **details: Any) -> Judged:
    evidence = Evidence(measure, float(holds), 5000, unit="yes/no", details={"reason": reason, **details})
    return evidence, is_true("as written")


def model(number: str, name: str = "credit", reference: str = "") -> dict[str, Any]:
    version = {
        "model": name,
        "number": number,
        "run_id": f"run{number}" * 4,
        "source": f"runs:/run{number}",
        "tags": {},
    }
    return {"version": version, "reference": reference or number, "digest": number * 64, "files": "/models"}


def document(
    *gates: GateOutcome,
    waived: Mapping[str, str] | None = None,
    action: Mapping[str, Any] | None = None,
    name: str = "credit",
    facts: Mapping[str, Any] | None = None,
    head: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What evidence.json holds after these gates, all of them required."""
    outcomes = {one.name: one for one in gates}
    challenger, champion = model("2", name, "challenger"), model("1", name, "champion")
    known = Facts(champion="v1", **(facts or {}))
    decision = decide([one.name for one in gates], waived or {}, outcomes, known)
    says = {
        "phase": "promotion",
        "champion": champion,
        "challenger": challenger,
        "first_champion": None,
        "golden_set": {"file": "data/golden.parquet", "md5": "5f" * 16, "commit": "7f0ae80", "remark": ""},
        "thresholds": {"challenger": {"value": 0.4, "from": "the tag mlgates.threshold"}},
        "registry": "sqlite:///mlflow.db",
        "settings": {"model": name, "task": "binary", "label": "y", "gates": ["core"]},
        "settings_from": {"gates": "pyproject.toml [tool.mlgates]"},
        "required": [one.name for one in gates],
        "budget": {"enforced": False, "size": 20, "spent": ["v3", "v4"]},
        "waived": dict(waived or {}),
        "override": "",
        "not_asked_for": ["card", "skew"],
        "environment": {"python": "3.11.7", "pytest-mlgates": "0.1.0"},
        **(head or {}),
    }
    ran = {"by": "dana", "ci_run": ""}
    times = {"finished_at": 1_795_279_460.2}
    return evidence_file.document(decision, outcomes, head=says, action=action, times=times, ran=ran)


RUNBOOKS = "https://wiki.example/runbooks"
#: Of a waived gate and of one that passed: nobody has to do anything.
UNUSED = {"skew": "mlgates runbook skew", "drill": "mlgates runbook drill"}


def promoted() -> dict[str, Any]:
    """A run in which everything passed and the alias was moved."""
    done = {"done": True, "sentence": "credit v2 is 'champion' now, replacing v1 (ledger entry 2)", "trouble": ""}
    return document(gate("core", (gain(0.03, 0.01), at_least(-0.005))), gate("new", yes("new", True)), action=done)


def mixed() -> dict[str, Any]:
    """A run with every verdict, every picture, a waiver and a user's own gate."""
    edges = [round(-0.1 + 0.01 * n, 4) for n in range(21)]
    pictures = {
        "champion": 0.86,
        "challenger": 0.80,
        "bootstrap": {"draws": 2000, "seed": 0, "interval": [-0.07, -0.05], "edges": edges, "counts": list(range(20))},
        "roc": {
            role: {"fpr": [0, 0.1, 0.4, 1], "tpr": [0, up, 0.9, 1]}
            for role, up in (("champion", 0.6), ("challenger", 0.4))
        },
        "scores": {
            "edges": [0, 0.25, 0.5, 0.75, 1],
            **{role: {"negative": [9, 5, 2, 0], "positive": [1, 3, 5, 9]} for role in ("champion", "challenger")},
        },
        "margin": 0.005,
        "rows_needed": "24,000",
        "resolvable_margin": 0.0107,
    }
    slices = [
        {"name": f"SEX={n}", "gain": g, "low": g - 0.02, "high": g + 0.02, "n": 900 * n, "harmed": g < -0.02}
        for n, g in ((1, -0.06), (2, 0.01))
    ]
    groups = [
        {"group": "a", "rows": 900, "selection_rate": [0.5, 0.45, 0.55], "champion_selection_rate": 0.4},
        {"group": "b", "rows": 300, "selection_rate": [0.3, 0.25, 0.36], "champion_selection_rate": 0.35},
    ]
    ratio = Evidence(
        "disparate impact", 0.6, 1200, Interval(0.5, 0.7, 0.9, "score"), where="sex=b", details={"by_group": groups}
    )
    moved = Evidence(
        "psi",
        0.47,
        5000,
        Interval(0.33, 0.6, 0.9, "delta method"),
        where="income",
        details={"bins": ["low", "high"], "baseline": [50, 50], "sample": [20, 80], "sudden": ["a unit"]},
    )
    slow = Evidence(
        "p99",
        180.0,
        3000,
        Interval(150.0, 230.0, 0.9, "order statistics"),
        unit=" ms",
        details={
            "histogram": {"edges": [1, 10, 100, 1000], "counts": [5, 2900, 95]},
            "quantiles_ms": {"p50": {"value": 30.0}, "p99": 180.0},
        },
    )
    timeline = ["   0.27 s  v2 serves on staging", "  10.71 s  v1 serves"]
    return document(
        gate("core", (gain(-0.06, 0.01, **pictures), at_least(-0.005))),
        gate(
            "slices",
            yes(
                "unharmed",
                False,
                "1 of 2 slices harmed",
                slices=slices,
                metric="roc_auc",
                untestable={"SEX=3": "4 rows"},
            ),
        ),
        gate("fairness", (ratio, at_least(0.8)), stage="fairness"),
        gate("skew", (moved, at_most(0.2)), stage="data"),
        gate("latency", (slow, at_most(200.0)), stage="performance"),
        gate("drill", yes("way back proven", True, timeline=timeline)),
        gate("calibration", trouble="the gate crashed: ValueError: no", at="mlgates/test_calibration.py:8"),
        waived={"skew": "a known change of supplier"},
        head={"runbooks": {"core": f"{RUNBOOKS}/core.md", "slices": "mlgates runbook slices", **UNUSED}},
    )


def hostile() -> dict[str, Any]:
    """Every hostile text, as model, gate, measure, slice, column, group, reason, waiver, sentence and setting."""
    gates = []
    for text in HOSTILE.values():
        slices = [{"name": text, "gain": -0.1, "low": -0.2, "high": -0.05, "n": 9, "harmed": True}]
        moved = {"bins": [text, "b"], "baseline": [1, 2], "sample": [2, 1], "sudden": [text]}
        histogram = {"histogram": {"edges": [1, 2], "counts": [3]}}
        cannot = Evidence(f"c {text}", None, 5, where=text, cannot_say=text)
        timed = Evidence(text, 5.0, 9, where=f"of {text}", unit=f" {text}"[:50], details=histogram)
        judged: Sequence[Judged] = (
            (gain(-0.1, 0.01, where=text), at_least(-0.005)),
            yes(text, False, text, slices=slices, metric=text, timeline=[f"  1.00 s  {text}"]),
            (Evidence("psi", 0.5, 9, where=text, details=moved), at_most(0.2)),
            (timed, at_most(1.0)),
            (cannot, at_most(1.0)),
        )
        gates.append(gate(text, *judged, stage=text[:40], at=f"{text}:3"))
    every = " ".join(HOSTILE.values())
    return document(
        *gates,
        gate("trouble", trouble=every),
        name=every,
        waived={text: text for text in HOSTILE.values()},
        action={"done": False, "sentence": every, "trouble": every},
        head={
            "settings_from": dict.fromkeys(HOSTILE.values(), every),
            "golden_set": {"file": every, "md5": every, "commit": every, "remark": every},
            "override": every,
            "environment": {every: every},
            "registry": every,
            "not_asked_for": list(HOSTILE.values()),
            "runbooks": {text: f"https://x/{text}" for text in HOSTILE.values()} | {"trouble": "javascript:alert(1)"},
        },
    )


def many(gates: int, judgements: int = 4) -> dict[str, Any]:
    """A large run: `gates` gates with pictures of their own."""
    edges = [n / 40 for n in range(41)]
    details: Callable[[int], dict[str, Any]] = lambda n: {  # noqa: E731
        "bootstrap": {
            "draws": 2000,
            "interval": [0.3, 0.6],
            "edges": edges,
            "counts": [(n * k) % 97 for k in range(40)],
        }
    }
    return document(
        *(
            gate(
                f"gate_{n:03d}",
                *(
                    (
                        gain(0.001 * (n % 40 - 15), 0.004, where=f"column {k}", **(details(n) if k == 0 else {})),
                        at_least(-0.005),
                    )
                    for k in range(judgements)
                ),
            )
            for n in range(gates)
        )
    )
