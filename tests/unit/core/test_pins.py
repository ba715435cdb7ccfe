"""Which versions of the past a run may compare with: only files that are those on record."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from pytest_mlgates import fingerprint
from pytest_mlgates.pins import PinnedModel, Pins, with_first_champion, with_former
from pytest_mlgates.ports import Version
from pytest_mlgates.promotion.budget import Budget, at_enforced_level
from pytest_mlgates.settings import Settings


class Registry:
    """The versions 1 to 3, a folder with one file each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for number in "123":
            (folder / number).mkdir()
            (folder / number / "model.txt").write_text(number)

    def find(self, reference: str) -> Version | None:
        return Version("m", reference) if (self.folder / reference).is_dir() else None

    def references(self) -> list[str]:
        return []

    def files(self, version: Version) -> Path:
        return self.folder / version.number

    def digest(self, number: str) -> str:
        return fingerprint.of_folder(self.folder / number)

    def point(self, reference: str, version: Version) -> None:
        raise AssertionError("nothing here moves anything")

    def tag(self, version: Version, tags: Mapping[str, str]) -> None:
        raise AssertionError("nothing here tags anything")


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path)


@pytest.fixture
def pins(registry: Registry) -> Pins:
    return Pins(champion=PinnedModel(Version("m", "3"), "champion", "", registry.digest("3")))


class TestTheFormerChampion:
    def test_is_the_nearest_that_can_be_had(self, pins: Pins, registry: Registry) -> None:
        found = with_former(pins, registry, [("9", ""), ("2", registry.digest("2")), ("1", "")])  # type: ignore[arg-type]
        assert found.former is not None and found.former.version.number == "2"

    def test_has_the_files_on_record(self, pins: Pins, registry: Registry) -> None:
        """To compare with it is to run its code."""
        found = with_former(pins, registry, [("2", "f" * 64), ("9", "")])  # type: ignore[arg-type]
        assert found.former is None
        assert found.former_problem == (
            "v2: its files were changed since the ledger recorded them; v9: it is no longer in the registry"
        )

    def test_is_nobody_where_none_is_known(self, pins: Pins, registry: Registry) -> None:
        assert with_former(pins, registry, []).former_problem == "no other version is known to have served before it"  # type: ignore[arg-type]


class TestTheFirstChampion:
    def test_has_the_files_on_record(self, pins: Pins, registry: Registry) -> None:
        found = with_first_champion(pins, registry, "1", "f" * 64)  # type: ignore[arg-type]
        assert found.first is None
        assert "its files were changed since the ledger recorded them" in found.first_problem

    def test_is_compared_with_where_it_is_another(self, pins: Pins, registry: Registry) -> None:
        found = with_first_champion(pins, registry, "1", registry.digest("1"))  # type: ignore[arg-type]
        assert found.first is not None and found.first.version.number == "1"
        assert with_first_champion(pins, registry, "3", "").first is None  # type: ignore[arg-type]


class TestTheBudget:
    SETTINGS = Settings(model="m", golden="g.csv", label="y", task="binary", budget="enforce", budget_size=10)

    def test_what_judges_challengers_on_golden_rows_is_judged_at_a_share_of_the_level(self) -> None:
        lower = at_enforced_level(self.SETTINGS)
        shares = {kind: getattr(lower, kind).alpha / getattr(self.SETTINGS, kind).alpha for kind in KINDS}
        assert shares == dict.fromkeys(KINDS, pytest.approx(0.1))
        assert at_enforced_level(self.SETTINGS.model_copy(update={"budget": "advise"})).slices.alpha == 0.025

    def test_of_what_is_spent_only_a_challenger_that_was_judged_before_is_judged_again(self) -> None:
        spent = Budget(("4", "5"), 2, enforced=True)
        assert spent.forbids("5") == ""
        assert spent.forbids("6").startswith("the golden set's budget of 2 challengers is used up: refresh")
        assert Budget(("4", "5"), 2, enforced=False).forbids("6") == ""
        assert Budget(("4",), 2, enforced=True).forbids("6") == ""


KINDS = ("golden_regression", "bootstrap_auc", "slices", "fairness", "regression_pairs", "manifest")
