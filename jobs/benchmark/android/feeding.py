"""The samples as the classic tool takes them: files of bytes, by flags that cannot say everything."""

from collections.abc import Sequence

from common.schema.benchmark import Runner
from jobs.benchmark.android.command import Dialect, inputs
from jobs.benchmark.android.files import RunFolder
from jobs.benchmark.feeds import Feed


def flags(files: RunFolder, feed: Feed) -> tuple[str, ...]:
    """The flags that give every input its file, which is brought to the device first."""
    return inputs([(port.tensor, port.shape, files.put(port.path)) for port in feed])


def unfed(kind: Dialect, ports: Sequence[tuple[str, tuple[int, ...]]], runner: Runner) -> str | None:
    """Why inputs, by tensor and shape, cannot be given to a tool; None where they can."""
    if kind is not Dialect.CLASSIC:
        return "the LiteRT 2.x tool takes no files of values"
    names = [tensor for tensor, _ in ports]
    if len(set(names)) != len(names):
        return "the tool tells inputs apart by their tensors' names, and two are the same"
    for tensor, shape in ports:
        # A list of names has commas between them, and the app splits its arguments at blanks.
        if not tensor or "," in tensor or (runner == "app" and any(character.isspace() for character in tensor)):
            return f"the tool has no way to name input {tensor!a}"
        if not shape:
            return f"the tool has no way to write that input {tensor!a} is a single number"
    return None
