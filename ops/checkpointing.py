"""An engine's checkpoints: when the host is between two inputs, the state of all actors goes to the writer's thread."""

import msgspec

from actors.strategy import StrategyFailed
from bus.checkpoint import FORMAT, Checkpoint, CheckpointWriter, collect
from bus.messages import CheckpointTaken
from bus.vocabulary_lock import vocabulary_hash
from ops.node import Node
from ops.records import Records
from ops.recovery import RECOVERED


class Checkpointing:
    """Takes them of one run. What cannot be saved must not stop the engine: the journal recovers it."""

    def __init__(self, engine: Node, records: Records, epoch: int, writer: CheckpointWriter) -> None:
        self._engine, self._journal, self._epoch, self._writer = engine, records.journal, epoch, writer

    def take(self, now_ns: int) -> None:
        """Between inputs. A failure is an input: persistence tries again."""
        host = self._engine.host
        try:
            self._writer.write(self._checkpoint(now_ns))
        except StrategyFailed as error:
            self._engine.supervision.quarantine(str(error))
            self._failed(host.offset, f"the strategy's {error}")
        except _Spoilt as error:
            self._failed(host.offset, str(error))
        except (msgspec.EncodeError, TypeError, ValueError, OverflowError) as error:
            self._failed(host.offset, f"a state cannot be encoded: {error}")

    def _checkpoint(self, now_ns: int) -> Checkpoint:
        engine, host = self._engine, self._engine.host
        spoilt = sorted(host.failed.intersection(RECOVERED))
        if host.broken or spoilt:
            # A fold that raised half way must not become the truth of the next start.
            raise _Spoilt(host.broken or f"{', '.join(spoilt)} failed: the next start folds the journal again")
        states = collect([actor for actor in engine.actors if actor.name not in host.failed])
        number, records = engine.placement.number, self._journal.next_number
        return Checkpoint(
            FORMAT, vocabulary_hash(), number, self._epoch, host.offset, now_ns, host.digest, records, states
        )

    def _failed(self, offset: int, reason: str) -> None:
        if not self._engine.pump.stopped:
            self._engine.host.post(CheckpointTaken(offset, 0, 0, reason))

    def close(self, now_ns: int) -> None:
        """A last one, and everything that is queued."""
        self.take(now_ns)
        self._writer.close()


class _Spoilt(Exception):
    """A state that must not be saved, and why."""
