"""The document as HTML and Markdown. What comes from outside is escaped here, by default."""

import base64
import hashlib
from collections.abc import Callable
from pathlib import Path

import jinja2
from markupsafe import Markup

from common import markdown
from common.printable import clean
from common.provenance import ROOT
from jobs.report.document import Document, File

TEMPLATES = ROOT / "reports" / "templates"
# The colours come first: the rest of the style uses them.
STYLES = ("theme.css", "style.css")
SCRIPT = "script.js"


def render(document: Document, templates: Path = TEMPLATES) -> tuple[File, ...]:
    """`report.html`, which holds everything, and `report.md` with its pictures beside it."""
    plain = _environment(templates, _for_markdown, autoescape=False)
    plain.globals["fenced"] = fenced
    text = plain.get_template("report.md.j2").render(document=document)
    return File("report.html", page(document, templates)), File("report.md", text.encode()), *document.files


def page(document: Document, templates: Path = TEMPLATES) -> bytes:
    """The document as one HTML page that needs nothing else."""
    style = "\n".join((templates / name).read_text(encoding="utf-8") for name in STYLES)
    script = (templates / SCRIPT).read_text(encoding="utf-8")
    policy = (
        f"default-src 'none'; img-src data:; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    html = _environment(templates, _for_html, autoescape=True).get_template("report.html.j2")
    parts = {"style": Markup(style), "script": Markup(script), "policy": Markup(policy)}  # noqa: S704
    return html.render(document=document, **parts).encode()


def _digest(text: str) -> str:
    """The hash by which the page's policy knows a style or a script."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


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
    return value if isinstance(value, Markup) else markdown.escape(str(value))


def fenced(lines: tuple[str, ...]) -> Markup:
    """A Markdown code block of shell commands."""
    return Markup(markdown.fenced((clean(line) for line in lines), "sh"))  # noqa: S704
