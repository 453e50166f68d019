"""What can be set from the command line and the administration API while the sandbox runs."""

from dataclasses import asdict, dataclass, fields

ENVIRONMENTS = {
    "test": "Ministerstwo Finansów - środowisko testowe (TE)",
    "demo": "Ministerstwo Finansów - środowisko przedprodukcyjne (TR)",
    "production": "Ministerstwo Finansów",
}


@dataclass
class Settings:
    """Times are seconds unless the name says otherwise. The administration API writes the names in camelCase."""

    processing_seconds: float = 0.2
    latency_ms: float = 0.0
    clock_offset_seconds: float = 0.0
    rate_limits: bool = False
    hwm_lag_seconds: float = 1.0
    storage_lag_seconds: float = 0.1
    link_seconds: float = 3 * 24 * 3600.0
    link_delay_seconds: float = 0.0  # before a linked file is answered
    most_results: float = 10_000.0  # of a query or an export; more are truncated
    part_bytes: float = 50_000_000.0  # of an exported package
    environment: str = "test"

    @property
    def receiver(self):
        """The name of the receiving authority as a UPO states it."""
        return ENVIRONMENTS[self.environment]

    @property
    def is_test(self):
        """True where self-signed certificates and the test-data operations are allowed."""
        return self.environment == "test"

    def as_dict(self):
        """All settings, with the names of the administration API."""
        return {camel(name): value for name, value in asdict(self).items()}

    def change(self, values):
        """Set the settings named; raises ValueError with a sentence for anything unknown or out of range."""
        known = {camel(item.name): item.name for item in fields(self)}
        checked = {}
        for name, value in values.items():
            if name not in known:
                raise ValueError(f"unknown setting {name}")
            checked[known[name]] = self._checked(name, value, type(getattr(self, known[name])))
        for name, value in checked.items():
            setattr(self, name, value)

    @staticmethod
    def _checked(name, value, kind):
        if name == "environment":
            if not isinstance(value, str) or value not in ENVIRONMENTS:
                raise ValueError(f"environment must be one of {', '.join(ENVIRONMENTS)}")
            return value
        if kind is bool:
            if not isinstance(value, bool):
                raise ValueError(f"{name} must be true or false")
            return value
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= 1e9:
            raise ValueError(f"{name} must be a number")
        if value < 0 and name != "clockOffsetSeconds":
            raise ValueError(f"{name} must not be negative")
        return float(value)


def camel(name):
    """A name as JSON has it: ``latency_ms`` becomes ``latencyMs``."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
