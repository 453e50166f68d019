"""The page of an invoice as HTML: self-contained, for A4 paper and for a frame on the screen."""

from html import escape

from .model import Invoice
from .view import Grid, Page, Row, Section, view

# Nothing is loaded and nothing runs, whatever an invoice says that somebody else wrote.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
WIDE = 12  # columns that still fit on paper in the usual size
# Programs that make PDF may know no grid (wkhtmltopdf): floats first, for them.
_STYLE = """
@page { size: A4; margin: 14mm; }
body { font: 10pt/1.35 "Noto Sans", "DejaVu Sans", Arial, sans-serif; color: #1a1a1a; margin: 0 auto; max-width: 210mm;
  padding: 8mm; box-sizing: border-box; background: #fff; }
@media print { body { padding: 0; max-width: none; } }
header { border-bottom: 2px solid #1a1a1a; margin-bottom: 4mm; padding-bottom: 2mm; }
h1 { font-size: 16pt; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 11pt; margin: 5mm 0 1.5mm; border-bottom: 1px solid #999; page-break-after: avoid; }
h3 { font-size: 10pt; margin: 3mm 0 1mm; page-break-after: avoid; }
.kind { margin: 0 0 1mm; color: #444; }
.notice { border: 1px solid #8a6d00; background: #fff8dc; padding: 2mm; margin: 2mm 0; }
dl { margin: 0; overflow: hidden; }
dt { color: #444; float: left; clear: left; width: 36%; } dd { margin: 0 0 .5mm 38%; white-space: pre-line; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; margin: 1mm 0 2mm; font-size: 8.5pt; }
th, td { border: 1px solid #bbb; padding: .8mm 1.2mm; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
th { background: #f0f0f0; font-weight: 600; overflow-wrap: normal; }
table.wide { font-size: 6pt; } table.wide th, table.wide td { padding: .4mm; } table.wide th { overflow-wrap: anywhere; }
 td.n, th.n { text-align: right; } td.n { white-space: nowrap; }
thead { display: table-header-group; } tr { page-break-inside: avoid; } tfoot td { font-weight: 600; }
.parties > section { display: inline-block; vertical-align: top; width: 47%; margin-right: 2%; }
.total { text-align: right; font-size: 12pt; font-weight: 600; margin: 2mm 0; }
figure { display: inline-block; margin: 4mm 6mm 0 0; text-align: center; font-size: 8pt; } figure img { width: 40mm; }
@supports (display: grid) {
  dl { display: grid; grid-template-columns: fit-content(42%) 1fr; gap: .5mm 4mm; }
  dt { float: none; width: auto; min-width: 28mm; } dd { margin: 0; }
  .parties { display: grid; grid-template-columns: 1fr 1fr; gap: 6mm; } .parties > section { display: block; width: auto; margin: 0; }
}
"""


def to_html(invoice: Invoice, *, ksef_number: str = '', notices: tuple[str, ...] = (), codes: tuple[tuple[str, str], ...] = ()) -> str:
    """Return a whole HTML document in Polish.

    :param ksef_number: shown at the head, when there is one; :param notices: sentences to show above all;
    :param codes: QR codes as pairs of image (an address ``data:image/…``) and the text below it.
    """
    page = view(invoice)
    title = escape(f'{page.title} {page.number}'.strip())
    return (
        f'<!DOCTYPE html>\n<html lang="pl"><head><meta charset="utf-8"/>'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}"/>'
        f'<meta name="viewport" content="width=device-width"/><title>{title}</title><style>{_STYLE}</style></head>'
        f'<body>{body_html(page, ksef_number=ksef_number, notices=notices, codes=codes)}</body></html>')


def body_html(page: Page, *, ksef_number: str = '', notices: tuple[str, ...] = (), codes: tuple[tuple[str, str], ...] = ()) -> str:
    """Return the content of the page alone (escaped, without styles), to be put into another document."""
    number = f'<p class="ksef">Numer KSeF: <b>{escape(ksef_number)}</b></p>' if ksef_number else ''
    shown = ''.join(f'<p class="notice">{escape(notice)}</p>' for notice in notices)
    head = f'<header><p class="kind">{escape(page.title)}</p><h1>{escape(page.number)}</h1>{number}{shown}</header>'
    parties = [section for section in page.sections if section.name in ('seller', 'buyer')]
    details = [section for section in page.sections if section.name == 'details']
    others = [section for section in page.sections if section not in parties and section not in details]
    return (
        head + ''.join(map(_section, details)) + f'<div class="parties">{"".join(map(_section, parties))}</div>'
        + ''.join(map(_section, others)) + ''.join(_code(*code) for code in codes))


def _code(image: str, caption: str) -> str:
    if not image.startswith('data:image/'):
        raise ValueError("an image of the page must be part of it (data:image/…)")
    return f'<figure><img src="{escape(image)}" alt=""/><figcaption>{escape(caption)}</figcaption></figure>'


def _section(section: Section, level: int = 2) -> str:
    heading = f'<h{level}>{escape(section.title)}</h{level}>' if section.title else ''
    parts = ''.join(
        _grid(part, section.title) if isinstance(part, Grid) else _section(part, min(level + 1, 6)) for part in section.parts)
    return f'<section data-part="{escape(section.name)}">{heading}{_rows(section.rows, not section.title)}{parts}</section>'


def _rows(rows: tuple[Row, ...], total: bool) -> str:
    if total:
        return ''.join(f'<p class="total">{escape(row.label)}: {escape(row.value)}</p>' for row in rows)
    items = ''.join(f'<dt>{escape(row.label)}</dt><dd>{escape(row.value)}</dd>' for row in rows)
    return f'<dl>{items}</dl>' if items else ''


def _grid(grid: Grid, above: str) -> str:
    title = f'<h3>{escape(grid.title)}</h3>' if grid.title and grid.title != above else ''
    head = _cells('th', grid.columns, grid.numeric)
    body = ''.join(f'<tr>{_cells("td", row, grid.numeric)}</tr>' for row in grid.rows)
    sums = f'<tfoot><tr>{_cells("td", grid.sums, grid.numeric)}</tr></tfoot>' if grid.sums else ''
    wide = ' class="wide"' if len(grid.columns) > WIDE else ''
    return f'{title}<table{wide}><thead><tr>{head}</tr></thead><tbody>{body}</tbody>{sums}</table>'


def _cells(tag: str, cells: tuple[str, ...], numeric: tuple[bool, ...]) -> str:
    return ''.join(
        f'<{tag}{" class=" + chr(34) + "n" + chr(34) if right else ""}>{escape(cell)}</{tag}>'
        for cell, right in zip(cells, numeric, strict=True))
