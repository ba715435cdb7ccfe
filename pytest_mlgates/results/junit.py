"""JUnit XML, as pytest, Maven, Jest and most others write it."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree

from pytest_mlgates.results.result import Result, State, Test, Unreadable, moment

_TAGS: dict[str, State] = {
    "error": "crashed",
    "failure": "failed",
    "skipped": "skipped",
    # Maven's, of a test that was run again until it passed.
    "flakyFailure": "warned",
    "flakyError": "warned",
    "rerunFailure": "failed",
    "rerunError": "crashed",
}
_WORST: tuple[State, ...] = ("crashed", "failed", "skipped", "warned", "passed")
#: Google Test says of a test that was left out only so.
_NOT_RUN = {"notrun", "disabled", "skipped", "suppressed"}


def read(data: bytes) -> Result:
    """Raises Unreadable for anything but a whole JUnit file whose own counts agree with what is in it."""
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise Unreadable("it defines entities, which no JUnit file needs")
    try:
        root = ElementTree.fromstring(data)
    except (ElementTree.ParseError, ValueError, LookupError) as problem:
        raise Unreadable(f"it is not XML, or it was cut off ({problem})") from None
    if root.tag not in ("testsuites", "testsuite"):
        raise Unreadable(f"its first element is <{root.tag[:60]}>, not <testsuites> or <testsuite>")
    suites = [element for element in root.iter() if element.tag in ("testsuites", "testsuite")]
    for suite in suites:
        _counted(suite)
    times = [moment(suite.get("timestamp")) for suite in suites]
    made = min((time for time in times if time is not None), default=None)
    return Result((*_suite_errors(suites), *(_test(case) for case in root.iter("testcase"))), made)


def _test(case: ElementTree.Element) -> Test:
    name = ".".join(filter(None, (case.get("classname"), case.get("name")))) or "(without a name)"
    states = [(_TAGS[child.tag], child) for child in case if child.tag in _TAGS]
    if (case.get("status") or case.get("result") or "").lower() in _NOT_RUN:
        states.append(("skipped", case))
    if not states:
        return Test(name, "passed")
    state, element = min(states, key=lambda one: _WORST.index(one[0]))
    return Test(name, state, (element.get("message") or (element.text or "").strip())[:300])


def _suite_errors(suites: list[ElementTree.Element]) -> Iterator[Test]:
    """A suite that broke before any of its tests has the error itself."""
    for suite in suites:
        for child in suite:
            if child.tag in ("error", "failure"):
                yield Test(suite.get("name") or "(a suite)", _TAGS[child.tag], (child.get("message") or "")[:300])


def _counted(suite: ElementTree.Element) -> None:
    """A file put together from parts, or cut and mended, says another number than it holds."""
    said = suite.get("tests")
    held = len(list(suite.iter("testcase")))
    if said is None:
        return
    if not said.strip().isdigit() or int(said) != held:
        raise Unreadable(f"<{suite.tag}> says that it holds {said[:20]} tests, and holds {held}")
