"""The promise about messages: what bus/messages.lock says stays true."""

from types import UnionType
from typing import get_args, get_origin

import msgspec
import pytest

from bus.codec import TYPE_OF_TAG, decode_any, encode
from bus.messages import VOCABULARY, Message
from bus.vocabulary_lock import LOCK, broken_promises, render


def test_the_committed_lock_is_the_present_vocabulary() -> None:
    assert LOCK.read_text(encoding="utf-8") == render(), "run: python -m bus.vocabulary_lock"


def test_tags_are_unique_and_fit_one_byte_of_a_log_record() -> None:
    assert len(TYPE_OF_TAG) == len(VOCABULARY)
    assert all(0 < tag < 256 for tag in TYPE_OF_TAG)


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ("h\n1 A\n  x: int\n  y: int", "has no default"),
        ("h\n1 A\n  y: int = 0\n  x: int", "changed or moved"),
        ("h\n1 A\n  x: str", "changed or moved"),
        ("h\n2 A\n  x: int", "gone or renumbered"),
        ("h\n1 A\n  x: int\n1 B\n  z: int", "used twice"),
    ],
)
def test_a_broken_promise_is_named(changed: str, problem: str) -> None:
    assert any(problem in line for line in broken_promises("h\n1 A\n  x: int", changed))


def test_a_field_added_at_the_end_with_a_default_is_fine() -> None:
    assert broken_promises("h\n1 A\n  x: int", "h\n1 A\n  x: int\n  y: int = 0\n2 B\n  z: int") == []


def example(message_type: type[Message]) -> Message:
    """A message of this type with some value in each field."""
    values: list[object] = []
    for field in msgspec.structs.fields(message_type):
        kind = str(field.type)
        if get_origin(field.type) is UnionType:  # a message, or none
            values.append(example(get_args(field.type)[0]))
        elif "tuple[tuple" in kind:
            values.append(((1, 2), (3, 4)))
        elif "tuple" in kind:
            values.append((1, 2) if "int" in kind else ())
        elif isinstance(field.type, type) and issubclass(field.type, Message):
            values.append(example(field.type))
        elif hasattr(field.type, "__members__"):
            values.append(next(iter(field.type)))
        else:
            values.append({"int": 7, "str": "x", "bool": True, "float": 0.5, "bytes": b"b"}[field.type.__name__])
    return message_type(*values)


@pytest.mark.parametrize("message_type", VOCABULARY, ids=lambda t: t.__name__)
def test_every_message_travels_whole_and_the_collector_ignores_it(message_type: type[Message]) -> None:
    message = example(message_type)
    assert decode_any(encode(message)) == message
    config = message_type.__struct_config__
    assert (config.frozen, config.gc, config.array_like) == (True, False, True)
