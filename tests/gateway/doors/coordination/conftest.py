"""Both backends in turn, and an etcd node that a test may stop and kill."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from ops.etcd import EtcdNode
from tests.gateway.doors.coordination.backends import Backend
from tests.support.etcd import etcd

__all__ = ["etcd"]


@pytest.fixture(params=["local", "etcd"])
async def backend(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Backend]:
    if request.param == "etcd":
        address = request.getfixturevalue("etcd").endpoint
    else:
        address = str(tmp_path / "coordination.sqlite")
    one = Backend(request.param, address, tmp_path.name)
    yield one
    await one.close()


@pytest.fixture
def own_etcd(tmp_path: Path) -> Iterator[EtcdNode]:
    with EtcdNode(tmp_path / "etcd") as node:
        yield node


@pytest.fixture
async def cluster(own_etcd: EtcdNode, tmp_path: Path) -> AsyncIterator[Backend]:
    """etcd alone, on the test's own node."""
    one = Backend("etcd", own_etcd.endpoint, tmp_path.name)
    yield one
    await one.close()
