"""The plots of the comparison, as small SVG files. Needs matplotlib: the extra `docs`."""

from collections.abc import Callable, Iterator
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gateway.simulated.crowd.profiles import profile
from gateway.simulated.crowd.regimes import Regime
from gateway.simulated.virtual import VirtualMarket

from .measure import BINS, DISTANCES, Study

CAPTURED, GENERATED = "#1f77b4", "#d95f02"
SPREAD_TICKS_MAX = 12
PATH_S, PATH_STEP_S, PATH_SEED = 90.0, 0.5, 1

Draw = Callable[[Axes, Study, str, str], None]


def write(captured: Study, generated: Study, folder: Path) -> list[Path]:
    """Write all plots into `folder`; return their files."""
    mpl.rcParams.update({"svg.hashsalt": "touchline", "font.size": 8, "axes.grid": True, "grid.alpha": 0.3})
    mpl.rcParams["svg.fonttype"] = "none"
    folder.mkdir(parents=True, exist_ok=True)
    files = {
        "spread-and-imbalance.svg": (_spread, _up, _imbalance),
        "queues-and-sizes.svg": (
            _occupied,
            _curve("best quantity", "best quantity"),
            _curve("taker size", "taker order"),
        ),
        "times.svg": (
            _curve("ticker gap", "s between bookTickers"),
            _curve("best life", "s a best price lives"),
            _curve("level life", "s a level lives (100 ms diffs)"),
        ),
    }
    written = []
    for name, draws in files.items():
        figure = Figure(figsize=(9.0, 2.7), layout="constrained")
        for axes, draw in zip(figure.subplots(1, len(draws)), draws, strict=True):
            draw(axes, captured, CAPTURED, f"captured {captured.symbol}")
            draw(axes, generated, GENERATED, "generated")
        figure.axes[0].legend()
        written.append(_save(figure, folder / name))
    return [*written, _regimes(generated.symbol, folder / "regimes.svg")]


def _save(figure: Figure, path: Path) -> Path:
    figure.savefig(path, metadata={"Date": None})
    return path


def _spread(axes: Axes, study: Study, color: str, label: str) -> None:
    ticks = range(1, SPREAD_TICKS_MAX + 1)
    axes.plot(
        ticks, [max(1e-6, study.spread_time.get(tick, 0.0)) for tick in ticks], "o-", color=color, label=label, ms=3
    )
    axes.set(yscale="log", xlabel="spread, ticks", ylabel="share of time")


def _centers() -> list[float]:
    return [(place + 0.5) * 2 / BINS - 1 for place in range(BINS)]


def _up(axes: Axes, study: Study, color: str, label: str) -> None:
    axes.plot(_centers(), study.up_by_imbalance, "o-", color=color, label=label, ms=3)
    axes.set(xlabel="imbalance of the best queues", ylabel="P(next move of the mid is up)", ylim=(0, 1))


def _imbalance(axes: Axes, study: Study, color: str, label: str) -> None:
    axes.plot(_centers(), study.time_by_imbalance, "o-", color=color, label=label, ms=3)
    axes.set(xlabel="imbalance of the best queues", ylabel="share of time", ylim=(0, None))


def _occupied(axes: Axes, study: Study, color: str, label: str) -> None:
    axes.plot(DISTANCES, list(study.occupied.values()), "o-", color=color, label=label, ms=3)
    axes.set(xscale="log", xlabel="ticks from the opposite best", ylabel="share of occupied prices", ylim=(0, 1))


def _curve(name: str, what: str) -> Draw:
    def draw(axes: Axes, study: Study, color: str, label: str) -> None:
        values, shares = zip(*study.curves[name], strict=True)
        axes.plot(values, shares, color=color, label=label)
        axes.set(xscale="log", yscale="log", xlabel=what, ylabel="share beyond", ylim=(1e-4, 1.2))

    return draw


def _regimes(symbol: str, path: Path) -> Path:
    """The mid in each regime, from the same seed: at the pace that a venue is started with."""
    figure = Figure(figsize=(9.0, 2.7), layout="constrained")
    for axes, regime in zip(figure.subplots(1, len(Regime)), Regime, strict=True):
        times, middles, bids, asks = zip(*_path(symbol, regime), strict=True)
        axes.fill_between(times, bids, asks, color=GENERATED, alpha=0.3, lw=0)
        axes.plot(times, middles, color=GENERATED, lw=0.8)
        axes.set(title=regime.value, xlabel="s")
        axes.ticklabel_format(useOffset=False)
    return _save(figure, path)


def _path(symbol: str, regime: Regime) -> Iterator[tuple[float, float, float, float]]:
    found = profile(symbol)
    assert found is not None, symbol
    world = VirtualMarket([found], PATH_SEED)
    world.run(10.0)
    world.market.set_regime(regime)
    for step in range(int(PATH_S / PATH_STEP_S)):
        world.run(PATH_STEP_S)
        top = world.market.top(symbol)
        bid, ask = top.bid_price / 1e8, top.ask_price / 1e8
        yield step * PATH_STEP_S, (bid + ask) / 2, bid, ask
