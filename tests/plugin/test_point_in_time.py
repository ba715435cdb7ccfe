"""The gate `point_in_time` in a whole run."""

from __future__ import annotations

import pytest

from mlrepo import Repo

HEAD = "customer,at,spend,spend_at"
EVENTS = "customer,at\n" + "\n".join(f"c{i},2026-03-01T12:00Z" for i in range(8))


def rows(*known: str) -> str:
    """Eight events at noon, with a value known at each hour given, else at eleven."""
    hours = (*known, *["11"] * (8 - len(known)))
    return "\n".join([HEAD, *(f"c{i},2026-03-01T12:00Z,{i},2026-03-01T{h}:00Z" for i, h in enumerate(hours))])


@pytest.fixture
def asked(repo: Repo) -> Repo:
    """Features known an hour before their events, written every hour and kept for a day."""
    repo.write("events.csv", EVENTS)
    repo.write("features.csv", rows())
    declare(repo)
    return repo


def declare(repo: Repo, more: str = 'ttl = "24h"\ninterval = "1h"') -> None:
    table = '[tool.mlgates.point_in_time]\ntable = "features.csv"\nevents = "events.csv"\nkeys = ["customer", "at"]\n'
    declared = 'event_time = "at"\nfeatures = {spend = "spend_at"}\nranges = {spend = [0, 100]}\n'
    repo.settings(table + declared + more, gates=["core", "point_in_time"])


def test_what_was_known_in_time_passes(asked: Repo, spread: list[str]) -> None:
    run = asked.run(*spread)
    assert run.ret == 0, run.text
    asked.on_page("point_in_time", "passing")


def test_one_value_from_the_future_fails(asked: Repo, spread: list[str]) -> None:
    asked.write("features.csv", rows("13"))
    assert asked.run(*spread).ret == 1
    assert asked.said_of("point_in_time") == ("FAIL", "values from after their event [spend] 1: proven not <= 0")
    asked.on_page("point_in_time", "failing")


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (rows().rsplit("\n", 1)[0], "events without a row 1: proven not <= 0"),
        (rows() + "\nc7,2026-03-01T12:00Z,1,2026-03-01T11:00Z", "rows there twice 1: proven not <= 0"),
        (
            rows().replace("c3,2026-03-01T12:00Z,3", "c3,2026-03-01T12:00Z,-3"),
            "impossible values [spend] 1: proven",
        ),
        (rows().replace("2026-03-01T11", "2026-02-27T11"), "values older than the time to live [spend] 1: proven"),
    ],
    ids=["lost", "twice", "impossible", "expired"],
)
def test_a_table_that_training_should_not_have_read_fails(asked: Repo, changed: str, sentence: str) -> None:
    asked.write("features.csv", changed)
    assert asked.run().ret == 1
    verdict, said = asked.said_of("point_in_time")
    assert (verdict, said[: len(sentence)]) == ("FAIL", sentence)


def test_a_value_that_does_not_survive_a_missed_write_fails(asked: Repo) -> None:
    declare(asked, 'ttl = "2h"\ninterval = "1h"')
    assert asked.run().ret == 1
    assert asked.said_of("point_in_time") == ("FAIL", "time to live 2 h: proven not >= 2.5")


def test_a_time_to_live_alone_proves_nothing(asked: Repo) -> None:
    declare(asked, 'ttl = "2h"')
    assert asked.run().ret == 10
    verdict, said = asked.said_of("point_in_time")
    assert verdict == "ERROR"
    assert "declare interval" in said


def test_undeclared_is_an_error_with_what_to_write(repo: Repo) -> None:
    repo.settings(gates=["core", "point_in_time"])
    assert repo.run().ret == 10
    assert "in [tool.mlgates.point_in_time]" in repo.said_of("point_in_time")[1]


def test_a_wrong_duration_is_a_usage_error(asked: Repo) -> None:
    declare(asked, 'ttl = "a day"')
    run = asked.run()
    assert run.ret == 4
    assert "write a duration as a number and s, min, h or d, \"36h\" say, not 'a day'" in run.text
