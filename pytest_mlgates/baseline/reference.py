"""What a live sample is held against: a baseline, or the rows it would be made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_mlgates.baseline.document import FILE, Baseline
from pytest_mlgates.baseline.read import parsed
from pytest_mlgates.engine.port import ColumnType, Table
from pytest_mlgates.engine.source import Engine, open_table
from pytest_mlgates.errors import CouldNotEvaluate


@dataclass(frozen=True, slots=True)
class Reference:
    """What the sample is held against: a baseline, or (two windows) the reference's own rows."""

    baseline: Baseline | None = None
    table: Table | None = None

    @property
    def name(self) -> str:
        if self.table is not None:
            return self.table.name
        return (self.baseline.source if self.baseline else "") or "the baseline"

    @property
    def rows(self) -> int:
        return self.table.rows if self.table is not None else self.baseline.rows if self.baseline else 0

    def types(self) -> Mapping[str, ColumnType]:
        if self.table is not None:
            return self.table.types()
        columns = self.baseline.columns if self.baseline else {}
        sizes = {name: column.vector.size if column.vector else 0 for name, column in columns.items()}
        return {name: ColumnType(column.kind, column.zone, sizes[name]) for name, column in columns.items()}


def open_reference(
    where: str, base: Path, engine: Engine, timeout: float, model: str, kept: Callable[[], str | None]
) -> Reference:
    """The baseline or the rows at `where`, a path relative to `base`; with "" what was `kept` with the run of `model`.

    Raises UsageError for a file that is no baseline, CouldNotEvaluate when there is none or it cannot be read.
    """
    if not where:
        text = kept()
        if text is None:
            raise CouldNotEvaluate(
                f"no baseline is kept with the run of {model}: run `mlgates baseline TRAINING_FILE --version NUMBER`, "
                "or call log_baseline() where it is trained"
            )
        return Reference(baseline=parsed(text, f"{FILE} of {model}"))
    path = base / where
    if path.suffix != ".json":
        return Reference(table=open_table(where, base, what="the baseline", engine=engine, timeout=timeout))
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        why = problem.strerror if isinstance(problem, OSError) else "it is no text"
        raise CouldNotEvaluate(f"the baseline {path} cannot be read: {why}") from None
    return Reference(baseline=parsed(text, str(path)))
