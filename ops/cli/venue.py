"""`touchline venue`: run the simulated venue until a signal comes."""

import asyncio
import math
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import click
from click.core import ParameterSource

from gateway.simulated.crowd.parameters import CancelRule
from gateway.simulated.crowd.regimes import REGIME_NAMES, Regime
from gateway.simulated.flow_clock import AS_FAST_AS_POSSIBLE
from gateway.simulated.server import SimulatedVenue
from gateway.simulated.settings import Endpoints, SettingsError, VenueSettings
from gateway.simulated.signing import parse_public_key, parse_rsa_public_key
from ops.cli.ranges import Whole

ACCOUNTS_MAX = 16  # chosen: a command line prints that many keys readably


def account_names(count: int) -> tuple[str, ...]:
    """client, client-2, client-3 ...: the first is what a venue with one account calls its own."""
    return ("client", *(f"client-{number}" for number in range(2, count + 1)))


class Speed(click.ParamType[float]):
    """A number above 0, or max: as fast as it can."""

    name = "1|N|max"

    def convert(self, value: str | float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if value == "max":
            return AS_FAST_AS_POSSIBLE
        try:
            speed = float(value)
        except ValueError:
            speed = math.nan
        if not 0 < speed < math.inf:
            self.fail(f"{value!r} is neither a number above 0 nor max", param, ctx)
        return speed


@click.command()
@click.option("--port", type=Whole(0, 65_535), default=0, show_default=True, help="On 127.0.0.1; 0: a free one.")
@click.option("--futures-port", type=Whole(0, 65_535), help="Serve USD-M futures too, on this port; 0: a free one.")
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of the generated order flow.")
@click.option("--symbols", default="BTCUSDT,ETHUSDT", show_default=True, help="Symbols to generate, comma-separated.")
@click.option(
    "--replay",
    type=click.Path(path_type=Path),
    help="Replay this capture instead of generating Spot's flow. Then --symbols, --regime and --cancel-rule are for the "
    "futures face, and need --futures-port.",
)
@click.option("--speed", type=Speed(), default=1.0, help="Of the background: 1, N times as fast, or max.")
@click.option(
    "--regime",
    type=click.Choice([str(name) for name in REGIME_NAMES]),
    default=Regime.CALM.value,
    show_default=True,
    help="What the generated crowd is like.",
)
@click.option(
    "--cancel-rule",
    type=click.Choice([rule.value for rule in CancelRule]),
    default=CancelRule.UNIFORM.value,
    help="Which order of a queue the crowd cancels.",
)
@click.option("--state", type=click.Path(path_type=Path), help="Keep API keys in this directory between runs.")
@click.option("--accounts", type=Whole(1, ACCOUNTS_MAX), default=1, show_default=True, help="How many.")
@click.option(
    "--control", is_flag=True, help="Serve /control/ (loopback only): force fills, gaps, disconnects; logs of requests."
)
@click.option("--ed25519-public-key", type=click.Path(path_type=Path), help="PEM file; allows session.logon.")
@click.option("--rsa-public-key", type=click.Path(path_type=Path), help="PEM file; its signatures are taken too.")
@click.option(
    "--clock-offset-ms", type=int, default=0, help="The venue's clock runs this many ms ahead; negative: behind."
)
@click.option("--faults", type=click.Path(path_type=Path), help="TOML file of what goes wrong, and when.")
def venue(
    port: int,
    futures_port: int | None,
    seed: int,
    symbols: str,
    replay: Path | None,
    speed: float,
    regime: str,
    cancel_rule: str,
    state: Path | None,
    accounts: int,
    control: bool,
    ed25519_public_key: Path | None,
    rsa_public_key: Path | None,
    clock_offset_ms: int,
    faults: Path | None,
) -> None:
    """Run a simulated venue that speaks Binance Spot's protocol, and USD-M futures' if asked for, until SIGINT or SIGTERM."""
    try:
        _check_replay(replay, futures_port)
        settings = VenueSettings(
            port=port,
            futures_port=futures_port,
            seed=seed,
            symbols=tuple(dict.fromkeys(name.strip().upper() for name in symbols.split(",") if name.strip())),
            replay=replay,
            speed=speed,
            regime=regime,
            cancel_rule=cancel_rule,
            control=control,
            state=state,
            accounts=account_names(accounts),
            ed25519_public_key=_read_public_key(ed25519_public_key, "--ed25519-public-key", parse_public_key),
            rsa_public_key=_read_public_key(rsa_public_key, "--rsa-public-key", parse_rsa_public_key),
            clock_offset_ms=clock_offset_ms,
            faults=faults,
        )
        _run(settings)
    except SettingsError as error:
        click.echo(f"venue: {error}", err=True)
        sys.exit(2)


def _check_replay(replay: Path | None, futures_port: int | None) -> None:
    """Raise SettingsError for options that nothing would heed: a replay has its own symbols and no crowd."""
    context = click.get_current_context()
    for name in ("symbols", "regime", "cancel_rule") if replay is not None and futures_port is None else ():
        if context.get_parameter_source(name) is not ParameterSource.DEFAULT:
            option = f"--{name.replace('_', '-')}"
            raise SettingsError(
                f"{option}: of a generated market, which --replay is not; leave it out, or give --futures-port: "
                "the futures face is generated"
            )


def _read_public_key(path: Path | None, option: str, parse: Callable[[str], object]) -> str | None:
    if path is None:
        return None
    try:
        text = path.read_text()
        parse(text)
    except SettingsError as error:
        raise SettingsError(str(error).replace(option, f"{option} {path}", 1)) from error
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{option} {path}: cannot be read ({error}); name a PEM file") from error
    return text


def _run(settings: VenueSettings) -> None:
    try:
        import uvloop
    except ImportError:
        asyncio.run(_serve(settings))
    else:
        uvloop.run(_serve(settings))


async def _serve(settings: VenueSettings) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    simulated = SimulatedVenue(settings)
    try:
        endpoints = await simulated.start()
    except OSError as error:
        raise SettingsError(
            f"--port {settings.port}{_futures_port(settings)}: cannot listen ({error.strerror}); choose another, or 0"
        ) from error
    _print(endpoints)
    waits = [asyncio.create_task(stopping.wait()), asyncio.create_task(simulated.wait_broken())]
    ending = asyncio.create_task(_say_end(simulated, settings))
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in (*waits, ending):
        wait.cancel()
    await simulated.stop()


async def _say_end(simulated: SimulatedVenue, settings: VenueSettings) -> None:
    await simulated.wait_ended()
    click.echo(f"venue: the replay of {settings.replay} is over: the books stand still", err=True)


def _futures_port(settings: VenueSettings) -> str:
    return "" if settings.futures_port is None else f", --futures-port {settings.futures_port}"


def _print(endpoints: Endpoints) -> None:
    click.echo(f"rest: {endpoints.rest}")
    click.echo(f"streams: {endpoints.streams}")
    click.echo(f"websocket_api: {endpoints.websocket_api}")
    if endpoints.futures_rest:
        click.echo(f"futures_rest: {endpoints.futures_rest}")
        click.echo(f"futures_streams: {endpoints.futures_streams}")
        click.echo(f"futures_websocket_api: {endpoints.futures_websocket_api}")
    for number, credentials in enumerate(endpoints.credentials, 1):
        suffix = "" if number == 1 else f"_{number}"
        click.echo(f"api_key{suffix}: {credentials.api_key}")
        click.echo(f"api_secret{suffix}: {credentials.api_secret}")
    sys.stdout.flush()
