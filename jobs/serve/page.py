"""The index as a page. Pure; everything from a run is escaped."""

import base64
import hashlib
import html
from collections.abc import Iterator, Sequence
from urllib.parse import quote

from common.printable import clean
from jobs.serve.runs import Entry

STYLE = """
:root { color-scheme: light dark; --page: #f6f7f9; --paper: #fff; --ink: #1f2933; --quiet: #52606d; --line: #d9dee4;
  --accent: #2b6cb0; --problem: #8a4b08; }
@media (prefers-color-scheme: dark) { :root { --page: #12161b; --paper: #1b2129; --ink: #e6eaef; --quiet: #a9b4c0;
  --line: #343d48; --accent: #7db5f0; --problem: #f0b866; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 1.5rem 1.25rem; background: var(--page); color: var(--ink); overflow-wrap: anywhere;
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; margin: 0 0 1rem; }
a { color: var(--accent); }
table { width: 100%; border-collapse: collapse; background: var(--paper); border: 1px solid var(--line); }
th, td { padding: .5rem .7rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
thead th { color: var(--quiet); font-weight: 600; overflow-wrap: normal; }
tbody th { font-weight: 600; min-width: 9rem; }
th small { display: block; color: var(--quiet); font-weight: 400; }
.problem { color: var(--problem); }
td a { display: block; white-space: nowrap; }
time { white-space: nowrap; }
@media (max-width: 760px) {
  body { padding: 1rem .6rem; }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  table, tbody, tr, th, td { display: block; }
  tr { border-bottom: 2px solid var(--line); padding: .4rem 0; }
  th, td { border: 0; padding: .2rem .7rem; }
  td[data-label]::before { content: attr(data-label) ": "; color: var(--quiet); }
  td:empty { display: none; }
  td a { display: inline; margin-right: .8rem; }
}
"""
POLICY = (
    f"default-src 'none'; style-src 'sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
COLUMNS = ("Run", "Date", "Reference", "Recommended", "Speed-up", "Accuracy", "Devices", "Files")
LONGEST = 200


def index(folder: str, entries: Sequence[Entry]) -> bytes:
    """The page of the runs in `folder`, in their order."""
    return "".join(_page(folder, entries)).encode(errors="replace")


def _page(folder: str, entries: Sequence[Entry]) -> Iterator[str]:
    title = f"Runs in {_text(folder)}"
    yield '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    yield f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n"
    if not entries:
        yield "<p>There are none yet: <code>make all</code> makes one.</p>\n"
    else:
        # Roles, because a narrow window shows the table as blocks, which takes them away.
        yield '<table role="table">\n<thead role="rowgroup">\n<tr role="row">'
        yield from (f'<th role="columnheader" scope="col">{column}</th>' for column in COLUMNS)
        yield '</tr>\n</thead>\n<tbody role="rowgroup">\n'
        yield from (_row(entry) for entry in entries)
        yield "</tbody>\n</table>\n"
    yield "</main>\n</body>\n</html>\n"


def _row(entry: Entry) -> str:
    day = entry.when.strftime("%Y-%m-%d %H:%M")
    when = f'<time datetime="{entry.when.isoformat()}">{day} UTC</time>'
    if entry.problem:
        rest = f'<td role="cell" colspan="6" class="problem">{_text(entry.problem)}</td>'
        return _cells(_header(entry.name, ""), when) + f"{rest}</tr>\n"
    facts = (entry.reference, entry.recommended, entry.speed, entry.quality, ", ".join(entry.devices))
    name = f'<a href="{_link(entry.name, "report/report.html")}">{_text(entry.title) or _text(entry.name)}</a>'
    labelled = "".join(
        f'<td role="cell" data-label="{label}">{_text(fact)}</td>'
        for label, fact in zip(COLUMNS[2:-1], facts, strict=True)
    )
    return (
        _cells(_header(name, entry.name, is_html=True), when) + f'{labelled}<td role="cell">{_links(entry)}</td></tr>\n'
    )


def _cells(header: str, when: str) -> str:
    return f'<tr role="row">{header}<td role="cell" data-label="Date">{when}</td>'


def _header(name: str, below: str, *, is_html: bool = False) -> str:
    small = f"<small>{_text(below)}</small>" if below else ""
    return f'<th role="rowheader" scope="row">{name if is_html else _text(name)}{small}</th>'


def _links(entry: Entry) -> str:
    found = [("report/report.html", "report"), ("report/results.json", "results.json")]
    found += [("best/model_card.md", "model card")] if entry.has_card else []
    # Links that say the same lead to different runs.
    return " ".join(
        f'<a href="{_link(entry.name, path)}" aria-label="{word} of {_text(entry.name)}">{word}</a>'
        for path, word in found
    )


def _link(run: str, path: str) -> str:
    return f"/{quote(run, safe='', errors='surrogateescape')}/{path}"


def _text(value: str) -> str:
    shown = clean(value[: LONGEST + 1])
    return html.escape(shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}\N{HORIZONTAL ELLIPSIS}")
