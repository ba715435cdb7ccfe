"""The plot of `mlgates power`: rows against the margin they resolve, a line a correlation."""

from __future__ import annotations

from pathlib import Path

from pytest_mlgates.cache import write_atomically
from pytest_mlgates.errors import UsageError
from pytest_mlgates.measure.golden.power import Design, resolvable

_KINDS = (".svg", ".png")


def checked(file: Path) -> Path:
    """`file`, when it can be written as a plot. Raises UsageError."""
    if file.suffix not in _KINDS:
        raise UsageError(f"--plot writes {' or '.join(_KINDS)}, not {file.name!r}")
    if not file.absolute().parent.is_dir():
        raise UsageError(f"--plot: the folder {file.absolute().parent} does not exist")
    return file


def write(file: Path, design: Design, correlations: tuple[float, ...], margin: float, *, alpha: float = 0.05) -> None:
    """Write the plot; the same design gives the same bytes. Raises UsageError when it cannot be written."""
    import io

    try:
        import matplotlib
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise UsageError("--plot needs matplotlib: pip install matplotlib") from None

    sizes = [round(100 * 10 ** (step / 20)) for step in range(61)]
    with matplotlib.rc_context({"svg.hashsalt": "mlgates", "svg.fonttype": "none"}):
        figure = Figure(figsize=(7, 4.5), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        for correlation in correlations:
            shown = [resolvable(Design(size, design.balance, design.auc), correlation, alpha=alpha) for size in sizes]
            axes.loglog(sizes, shown, label=f"score correlation {correlation:g}")
        axes.axhline(margin, color="grey", linestyle="--", linewidth=1)
        axes.annotate(f"margin {margin:g}", (sizes[0], margin), textcoords="offset points", xytext=(2, 3))
        axes.axvline(design.rows, color="grey", linestyle=":", linewidth=1)
        axes.annotate(f"{design.rows:,} rows", (design.rows, 0.3), textcoords="offset points", xytext=(3, 0))
        axes.set_ylim(5e-4, 0.5)
        axes.set_xlabel("rows of the golden set")
        axes.set_ylabel("ROC AUC margin it resolves (80 % power)")
        axes.set_title(f"{100 * design.balance:.2g} % positive, ROC AUC {design.auc:g}")
        axes.grid(visible=True, which="both", alpha=0.2)
        axes.legend()
        stream = io.BytesIO()
        undated = {"Date": None} if file.suffix == ".svg" else None
        figure.savefig(stream, format=file.suffix[1:], metadata=undated)
    try:
        write_atomically(file, stream.getvalue())
    except OSError as problem:
        raise UsageError(f"--plot: {file} cannot be written ({problem.strerror})") from None
