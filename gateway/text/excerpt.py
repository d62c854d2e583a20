"""The beginning of a frame, for people. Pure."""

DETAIL_MAX = 200  # characters of a frame kept in a Notice or Garbage; the input log has all of it


def excerpt(payload: bytes) -> str:
    return payload[:DETAIL_MAX].decode("utf-8", "replace")
