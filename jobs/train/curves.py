"""The learning curves as a picture."""

from common.schema.training import Epoch
from common.svg.learning import learning_curves

WIDTH = 720.0
STYLE = (
    "<style>svg{background:#fff}text{font:12px Arial,sans-serif;fill:#1f2933}.middle{text-anchor:middle}"
    ".end{text-anchor:end}.grid{stroke:#e6e9ed}.axis,.rule{stroke:#52606d}.course{fill:none;stroke-width:2}"
    ".kind-0{stroke:#2b6cb0}.kind-5{stroke:#64707d}.dashed{stroke-dasharray:4 3}</style>"
)


def curves_svg(epochs: tuple[Epoch, ...], best: int) -> str:
    """Loss and accuracy over the epochs, training (dashed) beside validation, as SVG text."""
    text = learning_curves(epochs, best, WIDTH).svg("Loss and accuracy by epoch, training dashed and validation solid")
    head, bracket, body = text.partition(">")
    return f"{head}{bracket}{STYLE}{body}"
