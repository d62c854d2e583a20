"""The promise about messages: tag, name, fields, types and defaults of each, as text. `bus/messages.lock` holds it.

Run `python -m bus.vocabulary_lock` after adding a message or a field at the end; the test says when it is stale, and
when a change breaks what was promised.
"""

import hashlib
import re
from pathlib import Path

import msgspec

from bus.codec import tag_of
from bus.messages import HEADER_VERSION, VOCABULARY, Message

LOCK = Path(__file__).parent / "messages.lock"


def render() -> str:
    """The lock's text: a header line, then one block a message, by tag."""
    lines = [f"header {HEADER_VERSION} hop:u8 version:u8 host:u16 offset:u64 sequence:u64"]
    for message_type in VOCABULARY:
        lines.append(f"{tag_of(message_type)} {message_type.__name__}")
        lines += [f"  {field}" for field in _fields(message_type)]
    return "\n".join(lines) + "\n"


def vocabulary_hash() -> str:
    """Hosts compare it on connecting; a checkpoint and a log carry it."""
    return hashlib.sha256(render().encode()).hexdigest()[:16]


def broken_promises(promised: str, present: str) -> list[str]:
    """What `present` no longer keeps of `promised`: a message gone or renumbered, a field changed, moved, or new without default."""
    old, new = _blocks(promised), _blocks(present)
    problems = []
    for head, fields in old.items():
        if head not in new:
            problems.append(f"{head}: gone or renumbered; a tag is never used again")
            continue
        if new[head][: len(fields)] != fields:
            problems.append(f"{head}: a promised field changed or moved; fields are only added at the end")
        problems += [
            f"{head}: new field {f.split()[0]} has no default" for f in new[head][len(fields) :] if "=" not in f
        ]
    tags = [head.split()[0] for head in new]
    problems += [f"tag {tag} is used twice" for tag in sorted(set(tags)) if tags.count(tag) > 1]
    return problems


def _fields(message_type: type[Message]) -> list[str]:
    rows = []
    for field in msgspec.structs.fields(message_type):
        kind = field.type.__name__ if isinstance(field.type, type) and "[" not in str(field.type) else str(field.type)
        default = "" if field.default is msgspec.NODEFAULT else f" = {field.default!r}"
        kind = re.sub(r"\b(?:\w+\.)+", "", kind)  # in which module a type stands is no promise
        rows.append(f"{field.name}: {kind}{default}")
    return rows


def _blocks(text: str) -> dict[str, list[str]]:
    blocks: dict[str, list[str]] = {}
    head = ""
    for line in text.splitlines()[1:]:
        if line.startswith("  "):
            blocks[head].append(line.strip())
        else:
            head = line
            blocks[head] = []
    return blocks


if __name__ == "__main__":
    LOCK.write_text(render(), encoding="utf-8")
