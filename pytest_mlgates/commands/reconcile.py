"""`mlgates reconcile`: finishes what a killed run began, and reports, adopts or reverts a move by hand."""

from __future__ import annotations

import argparse

from pytest_mlgates.commands.ledger_options import add_model, existing_book, keep_mirror, opened
from pytest_mlgates.decision import Exit
from pytest_mlgates.promotion.actor import actor
from pytest_mlgates.promotion.book import Book
from pytest_mlgates.promotion.reconcile import Report, accept, reconcile

HELP = "bring alias and ledger together again"


def add(parser: argparse.ArgumentParser) -> None:
    add_model(parser)
    parser.add_argument(
        "--on-hand-move",
        choices=("report", "adopt", "revert"),
        help="what to do with a move by hand (see the settings)",
    )
    parser.add_argument("--reason", default="", help="why it was moved, or why damage is accepted")
    parser.add_argument(
        "--accept",
        metavar="ENTRY",
        type=int,
        nargs="+",
        help="take responsibility for missing or altered entries of the ledger",
    )


def run(given: argparse.Namespace) -> int:
    settings, doors = opened(given)
    if given.accept:
        numbers = tuple(given.accept)
        report = accept(
            Book(doors.log), doors.registry, settings.champion, actor=actor(), reason=given.reason, entries=numbers
        )
    else:
        report = reconcile(
            existing_book(settings, doors),
            doors.registry,
            settings.champion,
            actor=actor(),
            on_hand_move=given.on_hand_move or settings.on_hand_move,
            reason=given.reason,
        )
    keep_mirror(settings, doors)
    return _say(report, settings.champion)


def _say(report: Report, reference: str) -> int:
    for sentence in report.did:
        print(sentence)
    if report.trouble:
        print(report.trouble)
        return Exit.UNDECIDED
    if not report.did:
        print(f"{reference!r} is v{report.champion}, as the ledger says; nothing to do")
    return 0
