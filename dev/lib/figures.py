"""What a benchmark yields."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One measured value. ``limit`` is the most it may be, or the least where ``at_least`` is set."""

    name: str
    value: float
    unit: str
    limit: float
    at_least: bool = False

    @property
    def ok(self):
        """Whether the limit is kept."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def __str__(self):
        verdict = "ok" if self.ok else "SHORT"
        return f"{self.name} {self.value:.4g} {self.unit} {self.limit:g} {verdict}"
