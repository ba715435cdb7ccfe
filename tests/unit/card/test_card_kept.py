"""Evidence and card are kept with the run of a version in a real MLflow store, and `mlgates card` finds them."""

from __future__ import annotations

import json
import shutil
import sqlite3
import uuid
from pathlib import Path
from typing import Any

import pytest

from pytest_mlgates import fingerprint
from pytest_mlgates.adapters.mlflow.log import MlflowLog
from pytest_mlgates.adapters.mlflow.registry import MlflowRegistry
from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.evidence import Evidence, Interval, plain
from pytest_mlgates.ledger import Entry, Kind
from pytest_mlgates.ports import Version
from pytest_mlgates.promotion.book import append, begin
from pytest_mlgates.publish.card import Promotion, card
from pytest_mlgates.publish.record import attach_record, figures
from pytest_mlgates.report import evidence_file
from pytest_mlgates.report.page import page
from tests.commands.shell import here as mlgates

SETTINGS = """\
[tool.mlgates]
model = "credit"
golden = "golden.csv"
label = "y"
task = "binary"
registry = "sqlite:///mlflow.db"
"""


class Refusing:
    """A registry that keeps nothing."""

    def attach(self, version: Version, texts: Any) -> None:
        raise CouldNotEvaluate("the disk is full")


@pytest.fixture
def registry(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MlflowRegistry:
    shutil.copy(template / "mlflow.db", tmp_path)
    (tmp_path / "pyproject.toml").write_text(SETTINGS)
    monkeypatch.chdir(tmp_path)
    with sqlite3.connect(tmp_path / "mlflow.db") as db:
        # The template is read by other tests: what is kept here must not reach it. MLflow remembers in this process
        # where a run's artifacts are, so every test has a run of its own.
        run = uuid.uuid4().hex
        db.execute("update runs set run_uuid = ?, artifact_uri = ?", (run, (tmp_path / "artifacts").as_uri()))
        db.execute("update model_versions set run_id = ? where version = 2", (run,))
    return MlflowRegistry(f"sqlite:///{tmp_path}/mlflow.db", "credit", tmp_path / "cache")


def found(registry: MlflowRegistry, number: str) -> Version:
    version = registry.find(number)
    assert version is not None
    return version


def judged(registry: MlflowRegistry, number: str = "2") -> dict[str, Any]:
    version = found(registry, number)
    digest = fingerprint.of_folder(registry.files(version))
    facts = {"model": "credit", "number": number, "run_id": version.run_id, "source": version.source, "tags": {}}
    return {
        "schema": evidence_file.SCHEMA,
        "decision": {"action": "PROMOTE", "reasons": ["better"]},
        "champion": None,
        "challenger": {"version": facts, "digest": digest},
        "golden_set": None,
        "thresholds": {},
        "registry": "r",
        "settings": {"task": "binary", "label": "y"},
        "waived": {},
        "not_asked_for": [],
        "gates": [],
    }


def promoted(registry: MlflowRegistry, evidence: str) -> Promotion:
    """An entry of the ledger as a promotion on this evidence writes it."""
    log = MlflowLog(registry.uri, "credit")
    book = begin(log, registry, "champion", actor="ann")
    entry = Entry(Kind.PROMOTE, "ann", from_="1", to="2", after=book.state.last, evidence=evidence, reason="better")
    return Promotion("ann", entry.time, append(book, entry).number)


def test_what_is_kept_comes_back(registry: MlflowRegistry) -> None:
    version, record = found(registry, "2"), judged(registry)
    assert attach_record(registry, version, record, Promotion("ann", "now", 2)) == ""
    digest = evidence_file.digest(record)
    assert registry.attached(version, "evidence.json") == evidence_file.text(record)
    assert registry.attached(version, f"evidence-{digest[:12]}.json") == evidence_file.text(record)
    assert registry.attached(version, "model_card.md") == card(record, digest, Promotion("ann", "now", 2))


def whole(registry: MlflowRegistry) -> dict[str, Any]:
    """A record with a gate in it."""
    evidence = Evidence("roc_auc gain", 0.03, 5000, Interval(0.02, 0.04, 0.9, "t"))
    judgement = {"evidence": plain(evidence), "verdict": "PASS", "sentence": "better", "limit": ">= 0"}
    gate = {"name": "auc", "stage": "quality", "verdict": "PASS", "sentence": "better", "trouble": ""}
    decision = {"action": "PROMOTE", "verdict": "PASS", "reasons": ["better"], "flips": [], "exit": 0}
    more = {"gates": [gate | {"judgements": [judgement]}], "decision": decision, "phase": "promotion", "required": []}
    return judged(registry) | more


def test_page_and_figures_are_kept_beside_it_and_tags_lead_there(registry: MlflowRegistry, tmp_path: Path) -> None:
    version, record = found(registry, "2"), whole(registry)
    attach_record(registry, version, record)
    assert registry.attached(version, "report.html") == page(record)
    tags = found(registry, "2").tags
    assert tags["mlgates.evidence"] == evidence_file.digest(record)
    assert tags["mlgates.report_run"] == version.run_id
    with sqlite3.connect(tmp_path / "mlflow.db") as db:
        kept = dict(
            db.execute("select key, value from latest_metrics where run_uuid = ?", (version.run_id,)).fetchall()
        )
    assert kept == figures(record)


def test_figures_are_finite_and_named_after_gate_and_measure() -> None:
    endless = Evidence("p99", 300.0, 900, Interval(200.0, float("inf"), 0.9, "order statistics"), where="champion")
    nothing = Evidence("p50", float("nan"), 900)
    missing = Evidence("p10", None, 900)
    judgements = [{"evidence": plain(one)} for one in (endless, nothing, missing)]
    assert figures({"gates": [{"name": "latency", "judgements": judgements}]}) == {
        "mlgates/latency/p99 [champion]": 300.0,
        "mlgates/latency/p99 [champion]/low": 200.0,
    }


def test_any_name_makes_a_figure_that_mlflow_takes(registry: MlflowRegistry, tmp_path: Path) -> None:
    version = found(registry, "2")
    registry.note_figures(version, {"<script>\n" + "x" * 9000: 1.0, "größe": 2.0})
    with sqlite3.connect(tmp_path / "mlflow.db") as db:
        kept = [key for (key,) in db.execute("select key from latest_metrics where run_uuid = ?", (version.run_id,))]
    assert sorted(kept) == ["_script__" + "x" * 241, "größe"]


def test_figures_that_cannot_be_kept_are_said(registry: MlflowRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> str:
        raise CouldNotEvaluate("the store is read-only")

    monkeypatch.setattr(registry, "note_figures", refuse)
    assert attach_record(registry, found(registry, "2"), judged(registry)) == (
        "the evidence is kept with the run of v2, but not its figures and the way to it: the store is read-only"
    )


def test_a_second_promotion_keeps_the_evidence_of_the_first(registry: MlflowRegistry) -> None:
    version, first, second = found(registry, "2"), judged(registry), judged(registry) | {"registry": "other"}
    attach_record(registry, version, first)
    attach_record(registry, version, second)
    assert registry.attached(version, "evidence.json") == evidence_file.text(second)
    name = f"evidence-{evidence_file.digest(first)[:12]}.json"
    assert registry.attached(version, name) == evidence_file.text(first)


def test_two_versions_of_one_run_keep_their_own(registry: MlflowRegistry) -> None:
    two = found(registry, "2")
    seven = Version("credit/%\u202e", "7", two.run_id)
    registry.attach(two, {"a.txt": "two"})
    registry.attach(seven, {"a.txt": "größe"})
    assert (registry.attached(two, "a.txt"), registry.attached(seven, "a.txt")) == ("two", "größe")
    assert registry.attached(two, "b.txt") is None


def test_a_version_without_a_run_keeps_nothing_and_says_so(registry: MlflowRegistry) -> None:
    three = found(registry, "3")
    assert attach_record(registry, three, judged(registry, "3")) == (
        "the evidence and the model card could not be kept with the run of v3: v3 was registered without a run, so "
        "nothing can be kept with it"
    )
    assert registry.attached(three, "model_card.md") is None


def test_trouble_is_a_sentence_and_never_an_exception(registry: MlflowRegistry) -> None:
    refusing: Any = Refusing()
    assert attach_record(refusing, Version("credit", "2", "r"), judged(registry)) == (
        "the evidence and the model card could not be kept with the run of v2: the disk is full"
    )


class TestCommand:
    def test_the_card_of_a_promoted_version(self, registry: MlflowRegistry, capsys: Any, tmp_path: Path) -> None:
        record = judged(registry)
        digest = evidence_file.digest(record)
        promotion = promoted(registry, digest)
        attach_record(registry, found(registry, "2"), record, promotion)
        expected = card(record, digest, promotion)
        assert mlgates(capsys, "card", "challenger") == (0, expected, "")
        assert mlgates(capsys, "card", "2", "--out", "CARD.md") == (0, "", "")
        assert (tmp_path / "CARD.md").read_text() == expected

    def test_a_stale_card_says_why(self, registry: MlflowRegistry, capsys: Any) -> None:
        record = judged(registry)
        promotion = promoted(registry, "other")
        record["challenger"]["digest"] = "0" * 64
        version = found(registry, "2")
        attach_record(registry, version, record)
        registry.attach(version, {"model_card.md": "edited"})
        assert mlgates(capsys, "card", "2")[::2] == (
            1,
            "stale: the card kept with the run of v2 was not made from the evidence beside it\n"
            f"stale: entry {promotion.entry} of the ledger rests on other evidence than the card\n"
            "stale: the files of v2 changed since they were judged\n",
        )

    def test_a_version_that_the_ledger_does_not_know(self, registry: MlflowRegistry, capsys: Any) -> None:
        attach_record(registry, found(registry, "2"), judged(registry))
        done, out, err = mlgates(capsys, "card", "2")
        assert (done, err) == (1, "stale: the ledger has no promotion of v2\n")
        assert "Nobody has promoted it." in out

    def test_no_evidence_is_kept(self, registry: MlflowRegistry, capsys: Any) -> None:
        assert mlgates(capsys, "card") == (
            2,
            "",
            "mlgates card: no evidence is kept with the run of v1: it was not promoted by "
            "`pytest --mlgate --mlgate-apply`\n",
        )

    @pytest.mark.parametrize(
        ("kept", "sentence"),
        [
            ("{", "what is kept as evidence with the run of v2 is no evidence"),
            ("[]", "what is kept as evidence with the run of v2 is no evidence"),
            (json.dumps({"schema": "x/9"}), "the evidence of v2 is of schema x/9: update pytest-mlgates"),
        ],
    )
    def test_evidence_that_cannot_be_read(self, registry: Any, capsys: Any, kept: str, sentence: str) -> None:
        registry.attach(found(registry, "2"), {"evidence.json": kept})
        assert mlgates(capsys, "card", "2") == (2, "", f"mlgates card: {sentence}\n")
