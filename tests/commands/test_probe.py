"""`mlgates golden record` and `mlgates probe`: readiness in one line and an exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_mlgates.cli import main
from tests.serving.servers import COLUMNS, better, score, serving

ROWS = [[0.5, -1.0, 0.25, 2.0], [1.5, 0.0, -3.0, 0.5], [-2.0, 1.0, 1.0, 1.0]]
SCORES = [score(dict(zip(COLUMNS, row, strict=True))) for row in ROWS]


@pytest.fixture
def record(tmp_path: Path) -> Path:
    said = {
        "format": 1,
        "model": "credit v1",
        "wire": "mlflow",
        "tolerance": 0.0001,
        "columns": list(COLUMNS),
        "rows": ROWS,
        "answers": [["labels", [int(one > 0.5) for one in SCORES]], ["scores", SCORES]],
    }
    file = tmp_path / "record.json"
    file.write_text(json.dumps(said))
    return file


def probe(record: Path, url: str, *more: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = main(["probe", url, "--record", str(record), "--timeout", "5", *more])
    said = capsys.readouterr()
    return code, (said.out + said.err).strip().replace(url, "URL")


def test_ready(record: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving() as served:
        assert probe(record, served.url, capsys=capsys) == (
            0,
            "READY: URL: scores of credit v1, 3 golden rows, largest deviation 0 (tolerance 0.0001)",
        )


def test_another_version_is_not_ready(record: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(answers=better) as served:
        code, said = probe(record, served.url, capsys=capsys)
    assert code == 1
    assert said.startswith("NOT READY: URL: scores of credit v1, 3 golden rows, largest deviation ")


def test_within_a_hundredth_of_a_percent_is_ready(record: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(answers=lambda row: score(row) * 1.00009) as served:
        assert probe(record, served.url, capsys=capsys)[0] == 0
        served.answers = lambda row: score(row) * 1.00011
        assert probe(record, served.url, capsys=capsys)[0] == 1
        assert probe(record, served.url, "--tolerance", "0.001", capsys=capsys)[0] == 0


def test_labels_where_scores_are_declared_are_not_ready(record: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(answers=lambda row: int(score(row) > 0.5)) as served:
        assert probe(record, served.url, capsys=capsys)[0] == 0
        assert probe(record, served.url, "--output", "scores", capsys=capsys)[0] == 1


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        ("busy", "NOT READY: endpoint at URL: HTTP 503: too many requests, come back later"),
        ("error as 200", "NOT READY: endpoint at URL: HTTP 200 with an error in it: column x9 is missing"),
        ("mute", "NOT READY: endpoint at URL: it closed the connection without an answer, tried for 0 s"),
        ("nan", "NOT READY: endpoint at URL: row 0 is answered nan"),
    ],
)
def test_trouble_is_not_ready(record: Path, trouble: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(trouble=trouble) as served:
        assert probe(record, served.url, capsys=capsys) == (1, said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is no golden record (JSONDecodeError"),
        ("{}", "is no golden record (KeyError: 'format')"),
        ('{"format": 2}', "is no golden record (ValueError: format 2 is not 1)"),
        (None, "cannot be read: No such file or directory"),
    ],
)
def test_a_record_that_is_none(record: Path, text: str | None, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    record.unlink() if text is None else record.write_text(text)
    code, found = probe(record, "http://localhost:9", capsys=capsys)
    assert code == 2
    assert said in found


@pytest.mark.parametrize("key", ["rows", "answers"])
def test_a_record_without_rows_or_answers_proves_nothing(
    record: Path, key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    record.write_text(json.dumps(json.loads(record.read_text()) | {key: []}))
    assert probe(record, "http://localhost:9", capsys=capsys)[0] == 2


def test_a_url_that_is_none(record: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["probe", "localhost:8080", "--record", str(record)])
    assert (code, capsys.readouterr().err.strip()) == (
        2,
        "mlgates probe: 'localhost:8080' is no URL: write http://host:port",
    )


def test_a_probe_imports_little_and_no_mlflow(record: Path) -> None:
    """It is started every few seconds beside a model."""
    code = (
        "import sys; from pytest_mlgates.cli import main; "
        f"main(['probe', 'http://127.0.0.1:9', '--record', {str(record)!r}]); "
        "print(*{name.split('.')[0] for name in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stdout.splitlines()[-1].split()
    assert not {"mlflow", "numpy", "pandas", "pydantic", "pytest", "requests", "urllib3"} & set(loaded)
