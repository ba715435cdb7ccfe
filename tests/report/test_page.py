"""report.html as a reader meets it: the decision first, the worst gate first, and every name as text."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from pytest_mlgates.evidence import Evidence, Interval
from pytest_mlgates.report.page import page
from pytest_mlgates.report.plaintext import clipped, visible
from pytest_mlgates.rules import at_least, at_most
from pytest_mlgates.verdict import Finding, Verdict
from tests.report.documents import HOSTILE, document, gain, gate, hostile, many, mixed, promoted, yes

#: What a page may be made of; all of it is in the template or drawn.
TAGS = {
    *("html", "head", "meta", "link", "title", "style", "body", "header", "main", "nav", "footer", "section"),
    *("article", "h1", "h2", "h3", "h4", "p", "ul", "li", "dl", "dt", "dd", "div", "span", "bdi", "strong", "small"),
    *("code", "details", "summary", "figure", "figcaption", "a"),
    *("svg", "path", "line", "rect", "circle", "text"),
}


class Page(HTMLParser):
    """The tags, attributes and text of a page, as a browser would read them."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.said: list[str] = []
        self._in_style = False
        self.feed(text)
        self.text = " ".join(" ".join(self.said).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._in_style = tag == "style"

    def handle_endtag(self, tag: str) -> None:
        self._in_style = False

    def handle_data(self, data: str) -> None:
        if not self._in_style:
            self.said.append(data)

    def after(self, *words: str) -> bool:
        """Whether these words occur in this order."""
        place = 0
        for word in words:
            place = self.text.find(word, place)
            if place < 0:
                return False
        return True


def test_the_first_screen_says_the_decision_why_what_would_flip_it_and_who() -> None:
    seen = Page(page(mixed()))
    assert seen.after(
        "✕ HOLD credit v2",
        "core: roc_auc gain -0.0600 [-0.0700, -0.0500]: proven not >= -0.005",
        "What would flip it",
        "core: a challenger whose roc_auc gain is proven >= -0.005",
        "Judged only: nothing was changed.",
        "Challenger credit v2",
        "Champion credit v1",
        "Golden set data/golden.parquet, md5 5f5f5f5f5f5f",
        "Judged by dana",
        "2026-11-21",
        "Gates, worst first",
    )


def test_a_promotion_says_what_was_done() -> None:
    seen = Page(page(promoted()))
    assert seen.after("✓ PROMOTE credit v2", "credit v2 is 'champion' now, replacing v1 (ledger entry 2)", "Champion")


def test_what_was_not_applied_is_a_would_promote() -> None:
    assert Page(page(document(gate("new", yes("new", True))))).after("✓ WOULD PROMOTE credit v2", "nothing was changed")


def test_the_worst_gate_comes_first_and_a_waived_one_after_those_that_count() -> None:
    headings = re.findall(r"<h3 id=[^>]*><bdi>([^<]*)</bdi>", page(mixed()))
    assert headings == ["core", "slices", "fairness", "skew", "calibration", "latency", "drill"]


def test_every_verdict_has_a_sign_and_a_word_beside_its_colour() -> None:
    verdicts = re.findall(r'<span class="verdict (\w+)"><span aria-hidden="true">(.)</span> (\w+)', page(mixed()))
    assert {(tone, sign) for tone, sign, _ in verdicts} == {
        ("pass", "✓"),
        ("inconclusive", "?"),
        ("error", "!"),
        ("fail", "✕"),
    }
    assert {word for *_, word in verdicts} >= {"PASS", "INCONCLUSIVE", "FAIL", "harmed"}


@pytest.mark.parametrize(
    "words",
    [
        "2,000 draws of the same golden rows",
        "Area under the curve: challenger 0.8, champion 0.86.",
        "Scores of golden rows",
        "Power: these 5,000 rows resolve a margin of 0.0107 (80 % of the time); 24,000 rows would be needed",
        "roc_auc gain by slice",
        "Too few rows to compare: SEX=3.",
        "selection rate by sex",
        "Share of rows a bin",
        "Sudden: a unit.",
        "3,000 answers on a logarithmic axis. p50 30 ms, p99 180 ms",
        "what happened when, in seconds",
        "Waived, so it does not count: a known change of supplier",
        "2 of 20 challengers judged on it, 18 left",
        "pytest --mlgate --mlgate-champion 1 --mlgate-challenger 2",
        "Shipped gates not asked for: card, skew",
        "the gate crashed: ValueError: no",
    ],
)
def test_pictures_and_facts_are_told_in_words_too(words: str) -> None:
    assert words in Page(page(mixed())).text


def test_nothing_runs_and_nothing_is_asked_for() -> None:
    seen = Page(page(mixed()))
    policy = next(a["content"] for tag, a in seen.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None and policy.startswith("default-src 'none'; style-src 'sha256-")
    addresses = [
        v for _, a in seen.tags for key, v in a.items() if key in ("href", "src", "action", "data", "xlink:href")
    ]
    # A reader may follow it; nothing is loaded from there.
    addresses.remove("https://wiki.example/runbooks/core.md")
    assert addresses and all(str(one).startswith(("#", "data:,")) for one in addresses)
    assert not [key for _, a in seen.tags for key in a if key == "style" or key.startswith("on")]


def test_hostile_names_are_text_everywhere() -> None:
    text = page(hostile())
    seen = Page(text)
    assert {tag for tag, _ in seen.tags} <= TAGS
    assert not [key for _, a in seen.tags for key in a if key == "style" or key.startswith("on")]
    for name, words in HOSTILE.items():
        assert " ".join(clipped(words).split()) in seen.text, name
    assert not set(text) & {*map(chr, range(9)), "\x1b", "\x7f", "\u202e", "\u202c"}


def test_a_name_of_ten_thousand_characters_is_cut_and_says_so() -> None:
    assert "x" * 160 + "… (10,000 characters)" in page(hostile())
    assert "x" * 1100 not in page(hostile())


def test_names_that_differ_only_in_odd_characters_keep_cards_of_their_own() -> None:
    text = page(document(gate("a b", yes("new", True)), gate("a-b", yes("new", True))))
    places = re.findall(r'<article [^>]*id="([^"]+)"', text)
    assert len(set(places)) == 2
    assert [f"#{place}" for place in places] == re.findall(r'<a href="(#[^"]+)"', text)


@pytest.mark.parametrize("broken", ["text", 7, None, [], {}, {"edges": "no"}, [{"name": 1}], {"a": {"psi": "NaN"}}])
@pytest.mark.parametrize(
    "key", ["bootstrap", "roc", "scores", "histogram", "bins", "slices", "by_group", "features", "timeline"]
)
def test_details_that_are_no_picture_leave_it_out_and_no_more(key: str, broken: Any) -> None:
    text = page(document(gate("core", (gain(-0.06, 0.01, **{key: broken}), at_least(-0.005)))))
    assert "roc_auc gain -0.0600 [-0.0700, -0.0500]: proven not &gt;= -0.005" in text


def test_figures_that_json_lacks_are_shown() -> None:
    endless = Evidence("p99", 300.0, 900, Interval(200.0, float("inf"), 0.9, "order statistics"), unit=" ms")
    nothing = Evidence("p99", float("nan"), 900)
    seen = Page(page(document(gate("slow", (endless, at_least(1.0)), (nothing, at_least(1.0))))))
    assert "300 ms [200 ms, inf ms]" in seen.text
    assert "nan" in seen.text


def test_more_lines_than_can_be_read_are_counted() -> None:
    judged = [(gain(0.01, 0.001, where=f"column {n}"), at_least(-0.005)) for n in range(50)]
    bad = [(gain(-0.1, 0.001, where="the bad one"), at_least(-0.005))]
    seen = Page(page(document(gate("wide", *judged, *bad))))
    assert seen.after("the bad one", "column 0", "and 11 PASS more, which evidence.json has")


def test_it_reads_back_what_the_file_holds() -> None:
    """The page made from the file is the page made from the run."""
    from pytest_mlgates.report import evidence_file

    assert page(json.loads(evidence_file.text(mixed()))) == page(mixed())


def test_a_run_of_300_gates_is_below_3_mb() -> None:
    assert len(page(many(300)).encode()) < 3_000_000


def test_every_verdict_has_a_style() -> None:
    text = page(promoted())
    for verdict in Verdict:
        assert f".verdict.{verdict.name.lower()}" in text


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("a\nb", "a b"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\u202eb", "a\\u202eb"),
        ("שלום", "שלום"),
        ("a\u00a0b", "a b"),
        ("a\u2028b", "a b"),
    ],
)
def test_what_prints_nothing_is_made_visible(given: str, shown: str) -> None:
    assert visible(given) == shown


def test_what_features_carry_is_drawn_beside_the_champions() -> None:
    shares = {"income": 0.6, "age": 0.3, "other": "NaN"}
    moved = gain(0.0, 0.01, challenger=shares, champion={"income": 0.4})
    agreed = gain(0.01, 0.01, shares=shares, declared=["age"])
    text = page(document(gate("manifest", (agreed, at_least(-1.0)), (moved, at_least(-1.0)))))
    seen = Page(text)
    assert seen.after("share of the explanation by feature (SHAP)", "champion", "income", "60.0 %", "age (declared)")
    assert text.count('class="beside"') == 1
    alone = page(document(gate("manifest", (agreed, at_least(-1.0)))))
    assert "age (declared)" in alone
    assert 'class="beside"' not in alone


def test_sections_that_plugins_add_are_text() -> None:
    made = mixed() | {"sections": [{"title": HOSTILE["script"], "rows": [["owner", HOSTILE["image"]]]}]}
    seen = Page(page(made))
    assert seen.after("Gates, worst first", HOSTILE["script"], "owner", HOSTILE["image"], "What it rests on")
    assert {tag for tag, _ in seen.tags} <= TAGS


def test_what_a_run_rests_on_an_override_is_said_at_the_top() -> None:
    seen = Page(page(document(gate("new", yes("new", True)), head={"override": "v1 by ada: no rows yet"})))
    assert seen.after("WOULD PROMOTE", "Override: v1 by ada: no rows yet", "Gates, worst first")


def test_what_is_judged_is_shown_with_its_interval_though_its_name_is_elsewhere_too() -> None:
    """The plot of every feature names `income`; the judgement of `income` keeps its own line."""
    most = Evidence("largest psi", 0.47, 5000, details={"features": {"income": {"psi": 0.47}, "age": {"psi": 0.01}}})
    moved = Evidence("psi", 0.47, 5000, Interval(0.33, 0.6, 0.9, "delta method"), where="income")
    seen = Page(page(document(gate("skew", (moved, at_most(0.2)), (most, at_most(0.2))))))
    assert seen.after(
        "psi limit: <= 0.2", "income", "0.47 [0.33, 0.6]", "FAIL", "population stability index by feature"
    )


def test_a_harmed_slice_is_shown_once() -> None:
    slices = [{"name": "SEX=1", "gain": -0.1, "low": -0.2, "high": -0.05, "n": 9, "harmed": True}]
    family = yes("unharmed", False, slices=slices, metric="roc_auc")
    seen = Page(page(document(gate("slices", family, (gain(-0.1, 0.05, where="SEX=1"), at_least(0.0))))))
    assert seen.text.count("SEX=1 n ") == 1


def test_a_gate_that_holds_says_where_its_runbook_is() -> None:
    seen = Page(page(mixed()))
    assert seen.after("core", "What to do: https://wiki.example/runbooks/core.md")
    assert "What to do: mlgates runbook slices" in seen.text
    links = [attrs["href"] for tag, attrs in seen.tags if tag == "a" and not str(attrs["href"]).startswith("#")]
    assert links == ["https://wiki.example/runbooks/core.md"]
    assert "runbook drill" not in seen.text


def test_only_an_address_of_the_web_is_one_to_follow() -> None:
    seen = Page(page(hostile()))
    assert "What to do: javascript:alert(1)" in seen.text
    links = [str(attrs["href"]) for tag, attrs in seen.tags if tag == "a" and not str(attrs["href"]).startswith("#")]
    assert all(re.fullmatch(r"https://x/[^\s<>\"']+", link) for link in links)


def test_plain_answers_to_many_questions_are_one_list() -> None:
    seen = Page(page(document(gate("behaviour", yes("null kept", False), yes("order kept", True)))))
    headings = [attrs.get("aria-label") for tag, attrs in seen.tags if tag == "section"]
    assert headings.count("behaviour: as written") == 1
    assert seen.after("as written", "null kept", "no", "✕ FAIL", "order kept", "yes", "✓ PASS")


def test_what_is_only_shown_has_no_verdict() -> None:
    reported = lambda evidence: Finding(Verdict.PASS, "said", "reported")  # noqa: E731
    seen = Page(page(document(gate("fairness", (gain(-0.4, 0.01), reported)))))
    assert seen.after("roc_auc gain limit: reported", "-0.4000 [-0.4100, -0.3900]")
    assert "PASS" not in seen.text.split("limit: reported")[1].split("What it rests on")[0]


def test_waived_gates_are_counted_as_such() -> None:
    assert "✕ 4 FAIL, 1 of them waived" in Page(page(mixed())).text
