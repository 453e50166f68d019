"""Kinds of notes on bills beside plain sentences, which are to be checked and hold automatic confirmation."""


class Alert(str):
    """A note of a kind that companies can switch on; ``kind`` is the name of the switch."""

    __slots__ = ('kind',)

    def __new__(cls, kind, text):
        alert = super().__new__(cls, text)
        alert.kind = kind
        return alert


class Remark(str):
    """A note that is only to be known: nothing to check, so it holds nothing."""

    __slots__ = ()
