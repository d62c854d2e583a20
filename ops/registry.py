"""The instrument registry of a state directory: a number means the same instrument in every run, log and checkpoint.

Numbers are given once, in the order of first use, and never again; a change of what the venue says of an instrument
(its filters) is a new version.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import msgspec

from bus.messages import Instrument
from ops.feeds import is_traded
from ops.state import StateError, write_durably

INSTRUMENTS_MAX = 10_000
"""Of one state directory; a venue lists about 3,000."""


class Entry(msgspec.Struct):
    """fingerprint: of everything the venue says of the instrument. counted: of one that is traded, its assets and their
    scales, which the ledger of this directory is counted in; "": it was never traded here, or by an older program.
    """

    venue: str
    venue_symbol: str
    number: int
    version: int
    fingerprint: str
    counted: str = ""


def register(path: Path, venue: str, instruments: Sequence[Instrument]) -> list[Instrument]:
    """The same instruments with their lasting numbers and versions; the file is brought up to date, durably.

    Raises StateError when the file cannot be read: a guessed number would book one instrument's fills on another; and when a
    traded instrument has other assets or scales: what the journal counts would mean other amounts.
    """
    entries = _read(path)
    known = {(entry.venue, entry.venue_symbol): entry for entry in entries}
    numbered = []
    changed = False
    for instrument in instruments:
        fingerprint, counted = _fingerprint(instrument), _counted(instrument)
        entry = known.get((venue, instrument.venue_symbol))
        if entry is None:
            if len(entries) >= INSTRUMENTS_MAX:
                raise StateError(f"{path}: {INSTRUMENTS_MAX} instruments are registered; start a new state directory")
            entry = Entry(venue, instrument.venue_symbol, len(entries), 1, fingerprint, counted)
            entries.append(entry)
            changed = True
        elif counted and entry.counted not in ("", counted):
            raise StateError(
                f"{path}: {instrument.venue_symbol} is counted in {entry.counted} here, and the venue has {counted} now: close "
                "what is held of it at the venue, then start a new state directory"
            )
        elif entry.fingerprint != fingerprint or (counted and not entry.counted):
            entry.version += entry.fingerprint != fingerprint
            entry.fingerprint, entry.counted = fingerprint, counted or entry.counted
            changed = True
        numbered.append(msgspec.structs.replace(instrument, instrument=entry.number, version=entry.version))
    if changed:
        write_durably(path, msgspec.json.format(msgspec.json.encode(entries)) + b"\n")
    return numbered


def numbers(path: Path) -> dict[str, int]:
    """Number by symbol, of what is or was traded in this state directory. Raises StateError."""
    return {entry.venue_symbol: entry.number for entry in _read(path) if entry.counted}


def _read(path: Path) -> list[Entry]:
    try:
        entries = msgspec.json.decode(path.read_bytes(), type=list[Entry]) if path.exists() else []
    except (OSError, ValueError) as error:
        raise StateError(
            f"{path}: the instrument registry cannot be read ({error}); restore it from a copy, or start a new state directory"
        ) from error
    if [entry.number for entry in entries] != list(range(len(entries))):
        raise StateError(f"{path}: the instrument registry's numbers are not 0, 1, 2 ...; restore it from a copy")
    return entries


def _counted(instrument: Instrument) -> str:
    """Base and quote asset with their decimals, of an instrument that is traded."""
    if not is_traded(instrument):
        return ""
    return f"{instrument.base_asset}.{instrument.base_scale}/{instrument.quote_asset}.{instrument.quote_scale}"


def _fingerprint(instrument: Instrument) -> str:
    plain = msgspec.structs.replace(instrument, instrument=0, version=0)
    return hashlib.sha256(msgspec.msgpack.encode(plain)).hexdigest()[:16]
