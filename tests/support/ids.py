"""Client order ids of engines that are not here: of another epoch, another life, another instance."""

from actors.orders.ids import IdMaker


def id_of(epoch: int, counter: int = 0) -> str:
    """With our prefix and its right check character."""
    ids = IdMaker("tl", 2)
    ids.set(epoch, counter, counter + 1)
    return ids.make()
