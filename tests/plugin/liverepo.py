"""What tests of the live phase share: a champion that came so long ago, by the ledger."""

from __future__ import annotations

import datetime

import pytest

from mlrepo import BETTER, CHAMPION, Repo
from pytest_mlgates.doors.outside import open_doors, registry_uri
from pytest_mlgates.ledger import entry
from pytest_mlgates.promotion.book import begin
from pytest_mlgates.promotion.projector import change
from pytest_mlgates.settings import load

LIVE = ("--mlgate-phase", "live")


def promote(repo: Repo, monkeypatch: pytest.MonkeyPatch, hours: float = 1.0, version: str = BETTER) -> None:
    """`version` has been champion for so many hours, after the one that the template begins with."""
    then = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=hours)
    with monkeypatch.context() as patch:
        patch.setattr(entry, "now", lambda: then.isoformat(timespec="milliseconds"))
        settings = load(repo.path, {}, {})
        doors = open_doors(settings, registry_uri(settings, {}))
        book = begin(doors.log, doors.registry, "champion", actor="ada")
        made = entry.Entry(entry.Kind.PROMOTE, "ada", from_=book.state.champion, to=version, after=book.state.last)
        change(book, doors.registry, "champion", made)
    assert repo.champion() == version


__all__ = ["BETTER", "CHAMPION", "LIVE", "Repo", "promote"]
