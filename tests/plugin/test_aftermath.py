"""After a run that acted: an incident where something failed, people told, and no verdict changed by either."""

from __future__ import annotations

import pytest

from mlrepo import BETTER, CHAMPION, Repo
from tests.watch.ears import ears

pytestmark = pytest.mark.slow

#: A live gate that fails while the file `bad` is there.
LIVE = """
    from pathlib import Path
    @pytest.mark.mlgate("answers", phase="live", tier="act")
    def test_answers(gate):
        gate.judge(Evidence("wrong answers", Path("bad").exists(), n=100), at_most(0))
"""


@pytest.fixture
def served(repo: Repo) -> Repo:
    """The better model was promoted, and fails in service."""
    repo.apply()
    repo.gates(LIVE)
    repo.settings(gates_live=["golden_integrity", "answers"])
    repo.write("bad", "")
    return repo


def test_a_failed_live_gate_opens_an_incident_that_green_gates_close(served: Repo, mlgates, spread) -> None:
    run = served.apply("--mlgate-phase", "live", *spread)
    assert (run.ret, served.champion()) == (1, CHAMPION)
    assert "incident 1 (SEV2) is open: `mlgates incident show 1`" in run.text
    (served.path / "bad").unlink()
    assert mlgates("incident", "ack", "1", "looking")[:2] == (0, "incident 1: acknowledged by ada\n")
    assert mlgates("incident", "note", "1", "a feature was renamed")[0] == 0
    run = served.apply("--mlgate-phase", "live", *spread)
    assert run.ret == 0
    assert f"incident 1 is closed: green again with v{CHAMPION} in service: answers passed" in run.text

    code, out, _ = mlgates("incident", "show", "1")
    assert code == 0
    assert out.startswith("incident 1: credit, SEV2, closed\n  live: answers: wrong answers 1: proven not <= 0\n")
    order = [
        "promote of v",
        "opened: live",
        f"rollback to v{CHAMPION}: answers: wrong",
        "acknowledged: looking",
        "a feature was",
        "closed: green",
    ]
    places = [out.index(words) for words in order]
    assert places == sorted(places)
    assert "ledger entry 3" in out
    assert "| time to restore | " in mlgates("incident", "postmortem", "1")[1]


def test_looking_without_acting_opens_nothing(served: Repo, mlgates) -> None:
    run = served.run("--mlgate-phase", "live")
    assert (run.ret, served.champion()) == (1, BETTER)
    assert "incident" not in run.text
    code, out, _ = mlgates("incident", "list")
    assert (code, out) == (0, f"no incident in {served.path / '.mlgates' / 'incidents.jsonl'}\n")


def test_a_rollback_with_nowhere_to_go_is_the_worst_incident(repo: Repo, mlgates) -> None:
    repo.gates(LIVE)
    repo.settings(gates_live=["golden_integrity", "answers"])
    repo.write("bad", "")
    run = repo.apply("--mlgate-phase", "live")
    assert (run.ret, repo.champion()) == (11, CHAMPION)
    assert "incident 1 (SEV1) is open" in run.text
    assert "ACTION FAILED: " in mlgates("incident", "show", "1")[1]
    repo.apply("--mlgate-phase", "live")
    assert mlgates("incident", "list")[1].count("SEV1") == 1, "the next look adds to it"


def test_people_are_told_with_severity_incident_and_link(served: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    with ears() as chat:
        monkeypatch.setenv("CHAT_URL", f"json://{chat.url}/hook")
        served.settings('[tool.mlgates.notify]\nchat = ["env:CHAT_URL"]\nlink = "https://ci.example/7"')
        run = served.apply("--mlgate-phase", "live")
    assert run.ret == 1
    (told,) = chat.bodies
    assert told["title"] == f"[SEV2] rolled back: credit v{BETTER}"
    lines = told["message"].splitlines()
    assert lines[0] == "answers: wrong answers 1: proven not <= 0"
    assert f"'champion' is v{CHAMPION} again" in lines[1]
    assert lines[2] == "incident 1 (SEV2) is open: `mlgates incident show 1`"
    assert lines[-1] == "https://ci.example/7"


def test_a_notifier_that_fails_changes_no_verdict(served: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    with ears() as chat:
        chat.status = 500
        monkeypatch.setenv("CHAT_URL", f"json://{chat.url}/SECRET")
        served.settings('[tool.mlgates.notify]\nchat = ["env:CHAT_URL"]')
        run = served.apply("--mlgate-phase", "live")
    assert (run.ret, served.champion()) == (1, CHAMPION)
    assert (
        "nobody could be told of '[SEV2] rolled back: credit v2': 1 of 1 channels did not take the message" in run.text
    )
    assert "the decision stands" in run.text
    assert "SECRET" not in run.text + (served.path / ".mlgates" / "report" / "evidence.json").read_text()


def test_a_hold_a_promotion_and_a_judgement_alone(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlrepo import WORSE

    with ears() as chat:
        monkeypatch.setenv("CHAT_URL", f"json://{chat.url}/hook")
        repo.settings('[tool.mlgates.notify]\nchat = ["env:CHAT_URL"]')
        repo.run()
        assert not chat.bodies, "who only looks tells nobody"
        repo.apply("--mlgate-challenger", WORSE)
        repo.apply("--mlgate-challenger", WORSE)
        repo.apply()
    titles = [body["title"] for body in chat.bodies]
    assert titles == [f"[SEV4] held: credit v{WORSE}", f"[SEV4] promoted: credit v{BETTER}"]


def test_a_damaged_incident_file_is_said_and_the_rollback_stands(served: Repo, mlgates) -> None:
    served.write(".mlgates/incidents.jsonl", "nonsense\n")
    run = served.apply("--mlgate-phase", "live")
    assert (run.ret, served.champion()) == (1, CHAMPION)
    assert "no incident could be recorded: the incidents in REPO/.mlgates/incidents.jsonl are damaged" in run.text
    code, _, err = mlgates("incident", "list")
    assert code == 2
    assert "line 1 is not JSON. Restore the file, or move it away to begin a new one" in err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["show", "7"], "no incident 7 in REPO/.mlgates/incidents.jsonl; known: 1"),
        (["note", "1", " "], "the text is empty: say it in words that still help in a year"),
        (
            ["note", "1", "x", "--began", "yesterday"],
            "--began: 'yesterday' is no time such as 2027-01-31T14:05:00+00:00",
        ),
        (["note", "1", "x", "--began", "2027-01-31T14:05"], "--began: '2027-01-31T14:05' has no zone"),
    ],
)
def test_what_is_meant_wrongly_is_one_sentence(served: Repo, mlgates, arguments: list[str], sentence: str) -> None:
    served.apply("--mlgate-phase", "live")
    code, _, err = mlgates("incident", *arguments)
    assert code == 2
    assert sentence in err.replace(str(served.path), "REPO")


def test_an_incident_is_closed_by_hand_once(served: Repo, mlgates) -> None:
    served.apply("--mlgate-phase", "live")
    assert mlgates("incident", "ack", "1")[0] == 0
    assert "was taken on by ada already" in mlgates("incident", "ack", "1")[2]
    assert mlgates("incident", "close", "1", "the gate was wrong")[0] == 0
    assert "was closed at " in mlgates("incident", "close", "1", "again")[2]
    assert mlgates("incident", "list", "--open")[1].startswith("no open incident in ")


def test_without_the_registry_an_incident_is_shown_all_the_same(served: Repo, mlgates) -> None:
    served.apply("--mlgate-phase", "live")
    (served.path / "mlflow.db").rename(served.path / "gone.db")
    code, out, _ = mlgates("incident", "show", "1")
    assert code == 0
    assert "opened: live: answers" in out
    assert "what the ledger knows is missing here: registry sqlite:///mlflow.db: there is no file" in out


def test_the_hand_over_note(served: Repo, mlgates) -> None:
    served.apply("--mlgate-phase", "live")
    code, out, _ = mlgates("incident", "handover")
    assert code == 0
    assert "- 1 SEV2 open: live: answers: wrong answers 1: proven not \\<= 0 (since " in out
    assert "rollback to v1" in out
    assert "ledger entry 3" in out


def test_drift_and_decay_on_two_looks_in_a_row_ask_for_a_new_model_once(repo: Repo) -> None:
    repo.gates(
        """
        @pytest.mark.mlgate("moved", phase="live", tier="review")
        def test_moved(gate):
            gate.judge(Evidence("largest psi", 0.3, n=100), at_most(0.2))
            gate.judge(Evidence("roc_auc gain", -0.006, n=100), at_least(-0.005))
        """
    )
    retrain = '[tool.mlgates.retrain]\nto = "events.jsonl"\ndrift = ["moved"]\ndecay = ["moved"]\napart_s = 0'
    repo.settings(retrain, gates_live=["golden_integrity", "moved"])
    events = repo.path / "events.jsonl"
    repo.apply("--mlgate-phase", "live")
    assert not events.exists()
    run = repo.apply("--mlgate-phase", "live")
    assert "drift and decay together on 2 looks in a row: the event 'mlgates-retrain' was sent" in run.text
    repo.apply("--mlgate-phase", "live")
    assert len(events.read_text().splitlines()) == 1
