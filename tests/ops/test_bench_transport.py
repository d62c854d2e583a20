"""The transport benchmark runs as it is documented; its figures are for whoever runs it by hand."""

import json

from tests.ops.command_line import touchline


def test_every_transport_is_measured_with_every_message() -> None:
    ended = touchline("bench", "transport", "--count", "20", "--json")
    assert ended.code == 0, ended.err
    result = json.loads(ended.out)
    assert result.pop("messages") == 20
    assert list(result) == ["inproc", "ipc", "tcp", "tcp_curve"]
    for figures in result.values():
        assert 0 < figures["p50"] <= figures["p99"] <= figures["max"]
