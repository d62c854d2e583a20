"""One real etcd node for a whole test session. Without an etcd the tests that need one fail; they are never skipped."""

from collections.abc import Iterator

import pytest

from ops.etcd import EtcdNode


@pytest.fixture(scope="session")
def etcd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EtcdNode]:
    """Shared: tests take scopes and groups of their own, and a node of their own when they stop or kill it."""
    with EtcdNode(tmp_path_factory.mktemp("etcd")) as node:
        yield node
