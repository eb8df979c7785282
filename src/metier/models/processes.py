"""Training in torch by several processes, each with its share of every batch (DistributedDataParallel).

All N processes draw the same batches from the same seed. A process ranks the jobs for its rows of a batch, and embeds
its part of the jobs that all rows are ranked over; the parts are gathered, and the gradient goes back the way they
came. A process's loss is the mean over its rows times its `weight`, so the mean of the N gradients, which
DistributedDataParallel takes, is the gradient of one process with the whole batch, up to rounding. Without a group all
functions here hand back what they are given.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from metier.data import Floats

Loss = Callable[..., Tensor]


class Share(NamedTuple):
    """What a process has of the rows of a batch."""

    rows: slice
    weight: float
    """on the mean over these rows: 1 where all processes have as many"""


@contextmanager
def joined() -> Iterator[bool]:
    """Be one of the group that RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT name, as torchrun sets them.

    Gives whether this is the first process, which keeps what is learned. Tensors on a GPU travel by NCCL, others by
    Gloo; LOCAL_RANK says which of a machine's GPUs is this process's.
    """
    distributed.init_process_group()
    try:
        if torch.cuda.is_available():
            torch.cuda.set_device(distributed.get_node_local_rank(0) % torch.cuda.device_count())
        yield distributed.get_rank() == 0
        distributed.barrier()  # nobody goes while another still needs the store of the first
    finally:
        distributed.destroy_process_group()


def share(n: int) -> Share:
    """This process's of n rows. Fewer rows than processes are everybody's: the mean of equal gradients is theirs."""
    rows = part(n)
    if n < _processes():
        return Share(slice(0, n), 1.0)
    return Share(rows, _processes() * (rows.stop - rows.start) / n if n else 1.0)


def part(n: int) -> slice:
    """This process's part of n things that are computed once and gathered."""
    rank = distributed.get_rank() if _grouped() else 0
    return slice(n * rank // _processes(), n * (rank + 1) // _processes())


def gathered(mine: Tensor, n: int) -> Tensor:
    """(n, ...) the parts of all processes, in order, from the `part(n)` of this one."""
    return _Gathered.apply(mine, n) if _grouped() else mine  # type: ignore[no-untyped-call]


def common(everybody: Tensor) -> Tensor:
    """What all processes computed alike, of which each goes on with its share: backward takes the mean of the
    gradients. So vectors of ids are exchanged for a batch, where their table would be a gradient of every id."""
    return _Common.apply(everybody) if _grouped() else everybody  # type: ignore[no-untyped-call]


def alike(arrays: list[Floats]) -> list[Floats]:
    """The first process's arrays. Another machine's linear algebra may round otherwise, or turn an axis around."""
    if _grouped():
        backend_device = "cuda" if distributed.get_backend() == "nccl" else "cpu"
        for at, array in enumerate(arrays):
            sent = torch.tensor(array, device=backend_device)
            distributed.broadcast(sent, 0)
            arrays[at] = sent.cpu().numpy()
    return arrays


def parallel(module: nn.Module, loss: Loss, *, without: Iterable[nn.Module] = ()) -> Loss:
    """`loss`, whose gradient is the mean over all processes.

    Parameters
    ----------
    loss : reaches every parameter of `module` that is learned, those of the parts `without` aside: their gradients stay
        each process's own.
    """
    if not _grouped():
        return loss
    apart = [one for part in without for one in part.parameters() if one.requires_grad]
    for one in apart:  # DistributedDataParallel takes those that want a gradient when it is made
        one.requires_grad_(False)
    made = DistributedDataParallel(_Loss(module, loss), forward_sync_buffers=False)
    for one in apart:
        one.requires_grad_()
    return made


class _Loss(nn.Module):
    """A loss as the `forward` of a module: DistributedDataParallel looks after modules."""

    def __init__(self, module: nn.Module, loss: Loss) -> None:
        super().__init__()
        self.module, self.loss = module, loss

    def forward(self, *given: Any) -> Tensor:
        return self.loss(*given)


class _Gathered(torch.autograd.Function):
    """Forward all parts; backward, to each process, the sum of all processes' gradients of its part."""

    @staticmethod
    def forward(ctx: Any, mine: Tensor, n: int) -> Tensor:
        ctx.n, room = n, -(-n // _processes())
        padded = mine.new_zeros(room, *mine.shape[1:])
        padded[: len(mine)] = mine
        everything = mine.new_empty(room * _processes(), *mine.shape[1:])
        distributed.all_gather_single(everything, padded)
        blocks = everything.view(_processes(), room, *mine.shape[1:])
        return torch.cat([block[:size] for block, size in zip(blocks, _sizes(n), strict=True)])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (gradient,), sizes = gradients, _sizes(ctx.n)
        room = -(-ctx.n // _processes())
        padded = gradient.new_zeros(_processes(), room, *gradient.shape[1:])
        for block, one in zip(padded, torch.split(gradient, sizes), strict=True):
            block[: len(one)] = one
        mine = gradient.new_empty(room, *gradient.shape[1:])
        distributed.reduce_scatter_single(mine, padded.flatten(0, 1))
        return mine[: sizes[distributed.get_rank()]], None


class _Common(torch.autograd.Function):
    """Forward nothing; backward the mean of all processes' gradients."""

    @staticmethod
    def forward(ctx: Any, everybody: Tensor) -> Tensor:
        return everybody.view_as(everybody)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].contiguous().clone()
        distributed.all_reduce(total)
        return total / _processes()


def _sizes(n: int) -> list[int]:
    """Of all parts of n."""
    ends = [n * rank // _processes() for rank in range(_processes() + 1)]
    return [end - start for start, end in pairwise(ends)]


def _grouped() -> bool:
    return distributed.is_available() and distributed.is_initialized()


def _processes() -> int:
    return distributed.get_world_size() if _grouped() else 1
