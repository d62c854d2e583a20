"""Every way to get the configuration wrong that we know: one line, with the field, the value and the remedy."""

import os
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner

from ops.cli import main
from ops.config import ConfigError, credentials, decimal_units, load, parse
from ops.sections import Config, VenueSection
from tests.ops.command_line import CONFIG, Ended, touchline

GOOD = CONFIG.format(rest="http://venue.test:80", streams="wss://venue.test", websocket_api="ws://[::1]:9/ws-api/v3")


class Bad(NamedTuple):
    """old, new: what is changed in a good file. told: what the line must hold."""

    old: str
    new: str
    told: tuple[str, ...]


BAD = {
    "unknown key": Bad("rest =", "rets =", ("[venue]", "'rets'", "did you mean 'rest'?")),
    "unknown key far from any": Bad("rest =", "zzz = 1\nrest =", ("[venue]", "'zzz'", "known: kind, rest")),
    "unknown section": Bad("[strategy.p", "[exection]\n[strategy.p", ("'exection'", "did you mean 'execution'?")),
    "text for a number": Bad(
        "[[i", 'recv_window_ms = "abc"\n[[i', ("[venue] recv_window_ms", "'abc'", "a whole number")
    ),
    "a fraction": Bad("[[i", "recv_window_ms = 1.5\n[[i", ("[venue] recv_window_ms", "1.5", "a whole number")),
    "a number for text": Bad('order_max = "0.01"', "order_max = 0.01", ("[[instrument]] order_max", 'write "0.01"')),
    "missing key": Bad('order_max = "0.01"\n', "", ("[[instrument]]", "'order_max' is missing", "add it")),
    "missing section": Bad("[venue]", "[orders]", ("kind",)),
    "one bracket": Bad("[[instrument]]", "[instrument]", ("a line [[instrument]]",)),
    "two brackets": Bad("[venue]", "[[venue]]", ("a line [venue]",)),
    "not TOML": Bad("[venue]", "[venue", ("not TOML", "line 2")),
    "below the least": Bad("[[i", "recv_window_ms = 0\n[[i", ("[venue] recv_window_ms", "0 is too small", "the least is 1")),
    "negative fills": Bad("[strategy.p", "[risk]\nfills_max = -1\n[strategy.p", ("[risk] fills_max: -1 is below 0",)),
    "no refusals": Bad("[strategy.p", "[risk]\nrejects_max = 0\n[strategy.p", ("[risk] rejects_max: 0 would let",)),
    "a fall below 0": Bad("[strategy.p", '[risk]\ndrawdown_max = "-1"\n[strategy.p', ("drawdown_max: -1 is below 0",)),
    "too many counted": Bad("[strategy.p", "[risk]\ndisconnects_max = 10001\n[strategy.p", ("at most 10000",)),
    "three steps": Bad("[strategy.p", "[risk]\nloop_steps_ms = [1, 2, 3]\n[strategy.p", ("loop_steps_ms", "write 4", "[]")),
    "falling steps": Bad("[strategy.p", "[risk]\nfeed_steps_ms = [1, 3, 2, 4]\n[strategy.p", ("no ladder",)),
    "no way down": Bad("[strategy.p", "[risk]\ncalm_ms = 0\n[strategy.p", ("[risk] calm_ms", "the least is 1")),
    "negative": Bad("[strategy.p", "[risk]\nopen_orders_max = -1\n[strategy.p", ("[risk] open_orders_max: -1 would refuse",)),
    "above the most": Bad("[[i", "recv_window_ms = 60001\n[[i", ("[venue] recv_window_ms", "60001", "60000")),
    "beyond 64 bits": Bad(
        "[strategy.p",
        f"[persistence]\ncheckpoint_interval_ms = {10**20}\n[strategy.p",
        ("[persistence] checkpoint_interval_ms", "too large"),
    ),
    "unknown venue": Bad("binance-spot", "kraken", ("[venue] kind", "'kraken'", "known: binance-spot")),
    "symbol": Bad("BTCUSDT", "btc/usdt", ("[[instrument]] symbol", "'btc/usdt'", "like BTCUSDT")),
    "exponent": Bad('"0.01"', '"1e-3"', ("BTCUSDT order_max", "'1e-3'", 'like "0.25"')),
    "too many decimals": Bad('"0.01"', '"0.000000015"', ("BTCUSDT order_max", "more than 8 decimals")),
    "no size": Bad('order_max = "0.01"', 'order_max = "0"', ("BTCUSDT order_max", "must be above 0")),
    "long never": Bad('position_max = "0.02"', 'position_max = "-1"', ("BTCUSDT position_max: -1 must be at least 0",)),
    "always long": Bad('"-0.02"', '"0.01"', ("BTCUSDT position_min", "0.01", "0 or below")),
    "scheme": Bad("http://venue.test:80", "ftp://venue.test", ("[venue] rest", "'ftp://venue.test'", "http://")),
    "port": Bad("venue.test:80", "venue.test:99999", ("[venue] rest", "99999", "HOST[:PORT]")),
    "no name": Bad("venue.test:80", "venue..test:80", ("[venue] rest", "venue..test", "no host")),
    "long name": Bad("venue.test:80", f"{'v' * 64}.test:80", ("[venue] rest", "no host")),
    "no host": Bad("wss://venue.test", "wss://", ("[venue] streams", "HOST[:PORT]")),
    "prefix": Bad("[strategy.p", '[orders]\nprefix = "X9"\n[strategy.p', ("[orders] prefix", "'X9'", "a letter first")),
    "no strategy module": Bad(
        "[strategy.p", '[strategy]\nuse = "no.such:Thing"\n[strategy.p', ("[strategy] use", "'no.such:Thing'", "module:Class")
    ),
    "no strategy class": Bad(
        "[strategy.p",
        '[strategy]\nuse = "actors.strategy.examples.join_touch:Nope"\n[strategy.p',
        ("[strategy] use", "Nope", "module:Class"),
    ),
    "not a strategy": Bad(
        "[strategy.p", '[strategy]\nuse = "json:JSONDecoder"\n[strategy.p', ("'json:JSONDecoder'", "actors.strategy.Strategy")
    ),
    "unknown parameter": Bad("quantity_lots =", "quantity_lotz =", ("[strategy.parameters]", "quantity_lotz", "known: quan")),
    "wrong parameter": Bad("lots = 100", 'lots = "x"', ("[strategy.parameters]", "quantity_lots", "int")),
    "parameter out of range": Bad("lots = 100", "lots = 0", ("[strategy.parameters]", "quantity_lots", "at least 1")),
    "execution": Bad("[strategy.p", "[execution]\nreprice_ticks = 0\n[strategy.p", ("[execution]", "reprice_ticks", "at least 1")),
    "share": Bad("[strategy.p", "[execution]\nkeep_ahead_pct = 101\n[strategy.p", ("[execution] keep_ahead_pct", "write 0 to 100")),
    "owner of rank": Bad(
        "[strategy.p", '[strategy]\nowner = "exits"\n[strategy.p', ("[strategy] owner", "'exits'", "outranks", "write another")
    ),
    "microstructure": Bad(
        "[strategy.p",
        "[microstructure]\ngap_multiple = 0\n[strategy.p",
        ("[microstructure]: gap_multiple: 0 is out of range", "write 2 to 1000"),
    ),
    "endpoint": Bad(
        "[strategy.p",
        '[coordination]\nbackend = "etcd"\nendpoints = ["10.0.0.1:2379"]\n[strategy.p',
        ("[coordination] endpoints", "10.0.0.1:2379 is not on this machine", "give ca_file"),
    ),
    "group": Bad("[strategy.p", '[coordination]\ngroup = "a/b"\n[strategy.p', ("[coordination] group", "'a/b'", "1 to 64")),
    "account": Bad("[strategy.p", '[coordination]\naccount = "a b"\n[strategy.p', ("[coordination] account", "a b", "1 to 64")),
    "no group": Bad("[strategy.p", '[coordination]\ngroup = ""\n[strategy.p', ("[coordination] group", "''", "1 to 64")),
    "no account": Bad("[strategy.p", '[coordination]\naccount = ""\n[strategy.p', ("[coordination] account", "''", "1 to 64")),
    "relative store": Bad(
        "[strategy.p",
        '[coordination]\npath = "coordination.sqlite"\n[strategy.p',
        ("[coordination] path", "'coordination.sqlite' is relative", "absolute path that all", "private to --state"),
    ),
    "etcd without the word": Bad(
        "[strategy.p",
        '[coordination]\nendpoints = ["127.0.0.1:2379"]\n[strategy.p',
        ("[coordination] endpoints", "read by etcd alone", 'write backend = "etcd"'),
    ),
    "time to live": Bad("[strategy.p", "[coordination]\nttl_ms = 999\n[strategy.p", ("[coordination] ttl_ms", "999", "1000")),
    "choice": Bad("[strategy.p", '[execution]\nreplace = "x"\n[strategy.p', ("[execution] replace", "together, after_cancel")),
}  # fmt: skip


def spoiled(name: str, folder: Path) -> str:
    bad = BAD[name]
    assert bad.old in GOOD
    path = folder / "bad.toml"
    path.write_text(GOOD.replace(bad.old, bad.new, 1))
    return str(path)


@pytest.mark.parametrize("name", BAD)
def test_check_says_in_one_line_what_is_wrong_and_what_to_do(name: str, tmp_path: Path) -> None:
    """In this process, through the command itself: a process of its own each would take half a minute."""
    done = CliRunner().invoke(main, ["check", spoiled(name, tmp_path)])
    line = Ended(done.exit_code, done.stdout, done.stderr).refused("touchline check: ", *BAD[name].told)
    assert done.stderr.count("\n") == 1
    assert len(line) < 400


@pytest.mark.parametrize("name", ["unknown key", "no strategy class", "not TOML"])
@pytest.mark.parametrize("command", ["check", "run"])
def test_a_process_of_either_command_says_the_same_line_and_nothing_else(
    name: str, command: str, tmp_path: Path
) -> None:
    more = ("--state", str(tmp_path / "state")) if command == "run" else ()
    done = touchline(command, spoiled(name, tmp_path), *more)
    if command == "run" and name == "no strategy class":  # credentials are asked for before a strategy is loaded
        done.refused("TOUCHLINE_API_KEY is not set")
    else:
        done.refused(f"touchline {command}: ", *BAD[name].told)
    assert done.err.count("\n") == 1


def test_a_good_file_is_usable_and_its_defaults_are_complete(tmp_path: Path) -> None:
    path = tmp_path / "good.toml"
    path.write_text(GOOD)
    config = load(path)
    assert isinstance(config, Config)
    assert (config.venue.recv_window_ms, config.risk.open_orders_max, config.orders.leftovers) == (1_000, 50, "cancel")
    done = touchline("check", str(path), "--json")
    assert (done.code, done.err) == (0, "")
    assert '"usable": true' in done.out


@pytest.mark.parametrize(
    ("write", "told"),
    [
        (lambda path: None, "cannot be read: No such file or directory; check the path"),
        (lambda path: path.mkdir(), "cannot be read: Is a directory"),
        (lambda path: path.write_bytes(b"[venue]\nkind = '\xff'"), r"not UTF-8 text \(byte 16\); save it as UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(write, told: str, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "config.toml"
    write(path)
    with pytest.raises(ConfigError, match=told) as failure:
        load(path)
    assert str(failure.value).startswith(str(path))


@pytest.mark.parametrize("missing", ["venue", "instrument"])
def test_a_missing_section_is_named(missing: str) -> None:
    tables = (
        GOOD.replace("[venue]", "\0[venue]").replace("[[i", "\0[[i").replace("[strategy", "\0[strategy").split("\0")
    )
    text = "".join(table for table in tables if not table.strip().strip("[").startswith(missing))
    with pytest.raises(ConfigError, match=rf"the section \[+{missing}\]+ is missing; add it"):
        parse(text)


def test_the_same_symbol_twice_is_refused() -> None:
    row = GOOD[GOOD.index("[[instrument]]") : GOOD.index("[strategy")]
    with pytest.raises(ConfigError, match="BTCUSDT stands twice; remove one"):
        parse(GOOD + row)


@pytest.mark.parametrize(
    ("text", "units"), [("0", 0), ("1", 100), ("0.25", 25), ("-1.5", -150), ("2.500", 250), ("00.01", 1)]
)
def test_decimal_text_is_exact(text: str, units: int) -> None:
    assert decimal_units(text, 2, "x") == units


@pytest.mark.parametrize(
    "text", ["", ".5", "5.", "1,5", "1e3", "+1", " 1", "1 ", "NaN", "٣", "0.001", "1_000", "9" * 16]
)
def test_what_is_not_plain_decimal_text_is_refused_naming_the_field(text: str) -> None:
    with pytest.raises(ConfigError, match="the field"):
        decimal_units(text, 2, "the field")


# -- credentials ------------------------------------------------------------------------------------------------------


def section(**changes: str) -> VenueSection:
    return VenueSection("binance-spot", "", "", "", **changes)  # type: ignore[arg-type]


def test_credentials_come_from_the_environment_without_stray_line_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOUCHLINE_API_KEY", "key\n")
    monkeypatch.setenv("TOUCHLINE_API_SECRET", " secret\r\n")
    assert credentials(section()) == ("key", "secret", "")


def test_each_missing_credential_is_named_with_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TOUCHLINE_API_KEY", "TOUCHLINE_API_SECRET"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigError, match="MY_KEY is not set; put the API key there"):
        credentials(section(api_key_env="MY_KEY"))
    monkeypatch.setenv("TOUCHLINE_API_KEY", "key")
    with pytest.raises(ConfigError, match=r"TOUCHLINE_API_SECRET is not set; .* or name a private_key_file"):
        credentials(section())


def test_a_private_key_that_others_may_read_is_refused_with_the_command_to_mend_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TOUCHLINE_API_KEY", "key")
    path = tmp_path / "key.pem"
    path.write_text("the private text")
    for mode in (0o644, 0o640, 0o604, 0o620):
        path.chmod(mode)
        with pytest.raises(ConfigError, match=f"private_key_file: others may read {path}; run: chmod 600 {path}"):
            credentials(section(private_key_file=str(path)))
    path.chmod(0o600)
    assert credentials(section(private_key_file=str(path))) == ("key", "", "the private text")


def test_a_private_key_that_cannot_be_read_is_named_and_never_quoted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TOUCHLINE_API_KEY", "key")
    path = tmp_path / "key.pem"
    with pytest.raises(ConfigError, match="No such file"):
        credentials(section(private_key_file=str(path)))
    path.write_bytes(b"secret-part\xff")
    path.chmod(0o600)
    with pytest.raises(ConfigError, match="not PEM text") as failure:
        credentials(section(private_key_file=str(path)))
    shown = failure.value
    assert shown.__cause__ is None
    assert "secret-part" not in str(shown)
    assert os.fspath(path) in str(shown)
