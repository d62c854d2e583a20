"""The etcd node that chaos and the tests start: found or named as missing, started, and what it leaves behind."""

from pathlib import Path

import pytest

from ops import etcd
from ops.etcd import EtcdFailed, EtcdMissing, EtcdNode, find_etcd, free_ports, healthy


def test_a_missing_etcd_is_named_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(etcd, "INSTALLED", tmp_path / "none")
    with pytest.raises(EtcdMissing, match=r"neither on PATH nor at .*none; install it .*or run \.ci/etcd"):
        EtcdNode(tmp_path)


def test_the_path_comes_before_the_unpacked_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_path, unpacked = tmp_path / "bin" / "etcd", tmp_path / "etcd"
    on_path.parent.mkdir()
    for path in (on_path, unpacked):
        path.write_text("#!/bin/sh\n")
        path.chmod(0o755)
    monkeypatch.setattr(etcd, "INSTALLED", unpacked)
    monkeypatch.setenv("PATH", str(on_path.parent))
    assert find_etcd() == on_path
    on_path.unlink()
    assert find_etcd() == unpacked


def test_a_node_keeps_its_place_and_leaves_its_log_alone(tmp_path: Path) -> None:
    node = EtcdNode(tmp_path)
    node.start()
    endpoint, first = node.endpoint, node.pid
    node.kill()
    node.start()
    assert (node.endpoint, node.pid != first) == (endpoint, True)
    node.freeze()
    node.stop()
    node.stop()
    assert [path.name for path in tmp_path.iterdir()] == ["etcd.log"]


def test_a_node_that_does_not_start_shows_its_log(tmp_path: Path) -> None:
    with pytest.raises(EtcdFailed, match=r"ended with \d+; the end of its log:\n[\s\S]*no-such-option"):
        EtcdNode(tmp_path, options=("--no-such-option",)).start()


def test_a_port_that_is_taken_is_changed_for_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with EtcdNode(tmp_path / "first") as first:
        taken = [(int(first.endpoint.rpartition(":")[2]), *free_ports(2))]
        monkeypatch.setattr(etcd, "free_ports", lambda count: taken.pop() if taken else free_ports(count))
        with EtcdNode(tmp_path / "second") as second:
            assert second.endpoint != first.endpoint
        assert taken == []


def test_nobody_is_not_healthy() -> None:
    assert not healthy(free_ports(1)[0])
