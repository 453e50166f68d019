"""Text as FA(3) and KSeF take it: white space, forbidden characters, lengths."""

import re

# Not allowed in XML 1.0 at all, or refused by KSeF in any file (reference: checks of an invoice file):
# U+007F-0084, U+0086-009F, U+FDD0-FDEF and the last two code points of every plane.
_LAST_TWO = ''.join(f'{chr(plane * 0x10000 + 0xFFFE)}{chr(plane * 0x10000 + 0xFFFF)}' for plane in range(17))
FORBIDDEN = re.compile(
    f'[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufdef{_LAST_TWO}]'
)

# White space of XML, and the control characters that text programs use as line or page breaks (a "soft return"
# pasted from a word processor is U+000B): the reader of an invoice sees a space in either case.
_WHITE_SPACE = re.compile('[\t\n\r\x0b\x0c\x1c-\x1f\x20]+')
_NOT_COLLAPSED = re.compile('[\t\n\r]|^ | $|  ')


def collapse(text: str | None) -> str:
    """Return the text on one line: runs of white space become one space, none at the ends (``xsd:token``)."""
    return _WHITE_SPACE.sub(' ', text or '').strip(' ')


def is_collapsed(text: str) -> bool:
    """Tell whether ``xsd:token`` would read the text exactly as it stands."""
    return not _NOT_COLLAPSED.search(text)


def find_forbidden(text: str) -> tuple[int, str] | None:
    """Return position (from 0) and code point ('U+0007') of the first character that KSeF refuses."""
    if text.replace('\n', '').isprintable():  # as nearly all texts are; nothing that KSeF refuses is printable
        return None
    match = FORBIDDEN.search(text)
    return (match.start(), f'U+{ord(match.group()):04X}') if match else None


def split(text: str, limit: int) -> list[str]:
    """Cut collapsed text into pieces of at most ``limit`` characters, at spaces where there are any.

    Joined with spaces the pieces give the text again, unless a single word was longer than the limit.
    """
    pieces = []
    while len(text) > limit:
        cut = text.rfind(' ', 1, limit + 1)
        end, start = (cut, cut + 1) if cut > 0 else (limit, limit)
        pieces.append(text[:end])
        text = text[start:]
    if text:
        pieces.append(text)
    return pieces


def shorten(text: str, limit: int) -> str:
    """Return collapsed text cut at a word to at most ``limit`` characters, the cut marked with an ellipsis."""
    return text if len(text) <= limit else split(text, limit - 1)[0] + '…'
