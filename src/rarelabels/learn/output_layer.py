"""What an output layer takes, in bytes: with a column for each label, or for each label set."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

FLOAT_BYTES = 4
UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


@dataclass(frozen=True)
class OutputLayer:
    """A dense layer in float32: a column of weights, and a bias, for each output. Any size; nothing is allocated."""

    inputs: int
    columns: int

    @property
    def parameters(self) -> int:
        """Weights and biases: 16 inputs and 2^17 columns are 2,228,224."""
        return (self.inputs + 1) * self.columns

    @property
    def bytes(self) -> int:
        """Of the parameters."""
        return FLOAT_BYTES * self.parameters

    def training_bytes(self, batch_size: int, moments: int) -> dict[str, int]:
        """Return what training takes at once, by what it is for; ``moments`` are the optimizer's for each weight."""
        batch = FLOAT_BYTES * batch_size * self.columns
        return {
            "weights": self.bytes,
            "their gradient": self.bytes,
            "moments of the optimizer": moments * self.bytes,
            f"logits of {batch_size:,} rows": batch,
            "their gradients": batch,
        }


def in_words(size: int) -> str:
    """Return bytes for people: 1536 is ``1.5 KiB``; what exceeds all units is written with a power of ten."""
    power = min((max(size, 1).bit_length() - 1) // 10, len(UNITS) - 1)
    if size >= 1024 ** len(UNITS):
        return f"{short(size // 1024**power)} {UNITS[power]}"
    return f"{size / 1024**power:,.{1 if power else 0}f} {UNITS[power]}"


def short(number: int) -> str:
    """Return a whole number of any size: with commas below a million million, else as 1.27e+30."""
    return f"{number:,}" if number < 10**12 else f"{Decimal(number):.2e}"
