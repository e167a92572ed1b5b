"""Drawings read back: elements, coordinates, what their texts cover."""

import re
from dataclasses import dataclass
from itertools import combinations
from math import isfinite
from xml.etree import ElementTree as ET

from common.svg.text import FONT_SIZE, text_width

TAGS = {"svg", "text", "title", "line", "rect", "circle", "polygon", "polyline", "path"}
ACROSS, UP = ("x", "x1", "x2", "cx"), ("y", "y1", "y2", "cy")
NUMBER = r"-?\d+(?:\.\d+)?"


@dataclass(frozen=True)
class Words:
    """A text and the rectangle that it covers by the estimate of its width."""

    text: str
    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True)
class Drawing:
    """One <svg> element."""

    root: ET.Element

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of its viewBox."""
        _, _, width, height = map(float, self.root.get("viewBox", "").split())
        return width, height

    @property
    def classes(self) -> set[str]:
        """Every class in it."""
        return {name for element in self.root.iter() for name in element.get("class", "").split()}

    @property
    def words(self) -> list[Words]:
        """Every text."""
        found = []
        for element in self.root.iter(f"{NAMESPACE}text"):
            text, names = element.text or "", element.get("class", "").split()
            x, y = float(element.get("x", "")), float(element.get("y", ""))
            width = text_width(text, strong="strong" in names)
            left = x - width * (1.0 if "end" in names else 0.5 if "middle" in names else 0.0)
            found.append(Words(text, left, y - 0.75 * FONT_SIZE, left + width, y + 0.2 * FONT_SIZE))
        return found

    def problems(self) -> list[str]:
        """What is wrong with it: foreign tags and attributes, coordinates outside, texts cut off or on each other."""
        width, height = self.size
        wrong = []
        for element in self.root.iter():
            tag = element.tag.removeprefix(NAMESPACE)
            wrong += [] if tag in TAGS else [f"tag {tag}"]
            wrong += [f"attribute {n}" for n in element.attrib if n.startswith("on") or n in {"style", "id", "href"}]
            wrong += [f"{tag} {x} {y}" for x, y in _points(element) if not (0 <= x <= width and 0 <= y <= height)]
        for words in self.words:
            if words.left < -1 or words.right > width + 1 or words.top < -1 or words.bottom > height + 1:
                wrong.append(f"cut off: {words}")
        wrong += [f"{a} on {b}" for a, b in combinations(self.words, 2) if _meet(a, b)]
        return wrong


NAMESPACE = "{http://www.w3.org/2000/svg}"


def drawings(svg: str) -> list[Drawing]:
    """The drawings of a chart. Raises ParseError where it is no XML."""
    return [Drawing(ET.fromstring(f"{part}</svg>")) for part in svg.split("</svg>")[:-1]]  # noqa: S314


def _points(element: ET.Element) -> list[tuple[float, float]]:
    own = [(float(element.get(a, "0")), float(element.get(b, "0"))) for a, b in zip(ACROSS, UP, strict=True)]
    if element.get("width") and element.get("x"):
        x, y = float(element.get("x", "")), float(element.get("y", ""))
        # Three roundings to a tenth of a pixel.
        own.append((x + max(0.0, float(element.get("width", "")) - 0.1), y + float(element.get("height", "")) - 0.1))
    listed = [(x, "0") for x in re.findall(rf"H({NUMBER})", element.get("d", ""))]
    listed += [("0", y) for y in re.findall(rf"V({NUMBER})", element.get("d", ""))]
    listed += re.findall(rf"({NUMBER})[ ,]({NUMBER})", f"{element.get('points', '')} {element.get('d', '')}")
    points = [*own, *((float(x), float(y)) for x, y in listed)]
    assert all(isfinite(x) and isfinite(y) for x, y in points)
    return points


def _meet(one: Words, other: Words) -> bool:
    across = one.left + 0.5 < other.right and other.left + 0.5 < one.right
    return across and one.top + 0.5 < other.bottom and other.top + 0.5 < one.bottom
