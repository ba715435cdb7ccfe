"""Which registered model, which alias serves, and which wants to: by the names people give them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pytest_mlgates.adoption.guess import Guess, Registered, listed

#: Names for what serves and for what wants to, the surest first.
SERVES = ("champion", "production", "prod", "live", "serving", "current", "stable", "active", "deployed", "primary")
WANTS_TO = ("challenger", "candidate", "contender", "next", "staging", "stage", "new", "proposed", "release-candidate")


def model(known: Sequence[Registered], where: str) -> Guess:
    """The one registered model, or the one of several that has an alias or stage for what serves."""
    if not known:
        return Guess(why=f"{where} has no registered model")
    if len(known) == 1:
        return Guess(known[0].name, "the only registered model there")
    serving = [one for one in known if champion(one)]
    if len(serving) == 1:
        return Guess(serving[0].name, f"of {len(known)} registered models the one with a version that serves")
    return Guess(why=f"{where} has the models {listed(one.name for one in known)}")


def champion(one: Registered) -> Guess:
    """The alias or stage of the version that serves."""
    return _named(one, SERVES, "Production")


def challenger(one: Registered, champion: str) -> Guess:
    """The alias or stage of the version that wants to serve; the only other alias will do."""
    found = _named(one, WANTS_TO, "Staging")
    if found:
        return found
    others = [alias for alias in one.aliases if alias not in (champion, "former-champion")]
    if len(others) == 1 and champion in one.aliases:
        return Guess(others[0], f"the only alias beside {champion!r}, on version {one.aliases[others[0]]}")
    return found


def _named(one: Registered, words: Sequence[str], stage: str) -> Guess:
    by_word: Mapping[str, str] = {alias.lower().replace("_", "-"): alias for alias in one.aliases}
    alias = next((by_word[word] for word in words if word in by_word), None)
    if alias is not None:
        return Guess(alias, f"alias on version {one.aliases[alias]}")
    if stage in one.stages:
        return Guess(f"stage:{stage}", f"version {one.stages[stage]} is in stage {stage}")
    return Guess(why=f"{one.name!r} has {_had(one)}")


def _had(one: Registered) -> str:
    if not one.newest:
        return "no version yet"
    return f"the aliases {listed(one.aliases)}" if one.aliases else "no alias"
