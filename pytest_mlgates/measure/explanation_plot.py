"""The features' shares of the explanation as a picture, champion beside challenger."""

from __future__ import annotations

import io
from pathlib import Path

from pytest_mlgates.measure.explanation import Explained

_MOST = 20


def plotted(base: Path, place: str, challenger: Explained, champion: Explained | str) -> str:
    """Write the plot to `place` below `base` and say so; a picture that cannot be made holds nothing and is said."""
    if not place:
        return ""
    try:
        data = _drawn(challenger, champion, Path(place).suffix[1:])
        (base / place).parent.mkdir(parents=True, exist_ok=True)
        (base / place).write_bytes(data)
    except ImportError:
        return "no plot: pip install matplotlib"
    except OSError as problem:
        return f"no plot: {base / place} cannot be written ({problem.strerror})"
    return f"wrote {base / place}"


def _drawn(challenger: Explained, champion: Explained | str, kind: str) -> bytes:
    """The same explanations give the same bytes."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    names = list(challenger.shares)[:_MOST][::-1]
    with matplotlib.rc_context({"svg.hashsalt": "mlgates", "svg.fonttype": "none"}):
        figure = Figure(figsize=(7, 1.2 + 0.32 * len(names)), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        places = range(len(names))
        both = not isinstance(champion, str)
        new = [100 * challenger.shares[name] for name in names]
        axes.barh([place + (0.2 if both else 0) for place in places], new, 0.4, label="challenger")
        if not isinstance(champion, str):
            old = [100 * champion.shares.get(name, 0.0) for name in names]
            axes.barh([place - 0.2 for place in places], old, 0.4, label="champion", color="grey")
            axes.legend()
        axes.set_yticks(list(places), names)
        axes.set_xlabel("share of the explanation (%)")
        axes.set_title(challenger.said())
        stream = io.BytesIO()
        figure.savefig(stream, format=kind, metadata={"Date": None} if kind == "svg" else None)
    return stream.getvalue()
