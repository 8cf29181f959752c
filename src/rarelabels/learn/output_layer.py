"""The memory of an output layer in bytes, with a column for each label or for each label set."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

FLOAT_BYTES = 4
UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


@dataclass(frozen=True)
class OutputLayer:
    """A dense float32 layer with a column of weights and a bias for each output. Nothing is allocated.

    Attributes:
        inputs: the number of inputs.
        columns: the number of outputs, of any size.
    """

    inputs: int
    columns: int

    @property
    def parameters(self) -> int:
        """The number of weights and biases: 2,228,224 for 16 inputs and 2^17 columns."""
        return (self.inputs + 1) * self.columns

    @property
    def bytes(self) -> int:
        """The memory of the parameters."""
        return FLOAT_BYTES * self.parameters

    def training_bytes(self, batch_size: int, moments: int) -> dict[str, int]:
        """Return the bytes that training needs at the same time, by purpose.

        Args:
            batch_size: rows of a batch.
            moments: how many numbers the optimizer keeps for each weight.
        """
        batch = FLOAT_BYTES * batch_size * self.columns
        return {
            "weights": self.bytes,
            "their gradient": self.bytes,
            "moments of the optimizer": moments * self.bytes,
            f"logits of {batch_size:,} rows": batch,
            "their gradients": batch,
        }


def in_words(size: int) -> str:
    """Return a number of bytes for people: 1536 is ``1.5 KiB``. Beyond all units, it is written with a power of ten."""
    power = min((max(size, 1).bit_length() - 1) // 10, len(UNITS) - 1)
    if size >= 1024 ** len(UNITS):
        return f"{short(size // 1024**power)} {UNITS[power]}"
    return f"{size / 1024**power:,.{1 if power else 0}f} {UNITS[power]}"


def short(number: int) -> str:
    """Return a whole number as text: with commas below 10^12, else as 1.27e+30."""
    return f"{number:,}" if number < 10**12 else f"{Decimal(number):.2e}"
