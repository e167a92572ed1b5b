"""The document as HTML and Markdown. What comes from outside is escaped here, by default."""

import base64
import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import jinja2
from markupsafe import Markup

from common.printable import clean
from common.provenance import ROOT
from jobs.report.document import Document, File

TEMPLATES = ROOT / "reports" / "templates"
STYLE = "style.css"
# Whatever can begin something in Markdown or in the HTML that Markdown lets through.
SPECIAL = re.compile(r"([\\`*_{}\[\]<>|~#$&!])")
# Begins a list, a heading or a rule where it stands first.
LEADING = re.compile(r"^(\d+(?=[.)](?:\s|$)))?([-+=.)])")
BACKTICKS = re.compile(r"`+")


def render(document: Document, templates: Path = TEMPLATES) -> tuple[File, ...]:
    """`report.html`, which holds everything, and `report.md` with its pictures beside it."""
    style = (templates / STYLE).read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    html = _environment(templates, _for_html, autoescape=True).get_template("report.html.j2")
    markdown = _environment(templates, _for_markdown, autoescape=False)
    markdown.globals["fenced"] = fenced
    page = html.render(document=document, style=Markup(style), policy=Markup(policy))  # noqa: S704
    text = markdown.get_template("report.md.j2").render(document=document)
    return File("report.html", page.encode()), File("report.md", text.encode()), *document.files


def _environment(templates: Path, finalize: Callable[[object], object], *, autoescape: bool) -> jinja2.Environment:
    # Markdown is escaped by `finalize`: autoescaping knows HTML only.
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates),
        undefined=jinja2.StrictUndefined,
        autoescape=autoescape,  # noqa: S701
        finalize=finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _for_html(value: object) -> object:
    """Autoescaping follows; what is marked as safe passes."""
    return value if isinstance(value, Markup) else clean(str(value))


def _for_markdown(value: object) -> object:
    return value if isinstance(value, Markup) else escape_markdown(str(value))


def escape_markdown(text: str) -> str:
    """Text on one line that Markdown shows as it is, in a paragraph, a list or a cell of a table."""
    escaped = SPECIAL.sub(r"\\\1", clean(text))
    # An address would become a link.
    escaped = escaped.replace("://", "\\://").replace("www.", "www\\.")
    return LEADING.sub(lambda found: f"{found[1] or ''}\\{found[2]}", escaped)


def fenced(lines: tuple[str, ...]) -> Markup:
    """A Markdown code block, its fence longer than any in its lines."""
    body = "\n".join(clean(line) for line in lines)
    longest = max((len(run) for run in BACKTICKS.findall(body)), default=0)
    fence = "`" * max(3, longest + 1)
    return Markup(f"{fence}sh\n{body}\n{fence}")  # noqa: S704
