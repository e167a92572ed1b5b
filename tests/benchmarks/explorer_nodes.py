"""What Model Explorer itself makes of a file, and of the node data beside it. It needs the package
`ai-edge-model-explorer` (670 MB with what it needs) and nothing of edgeproof, so that it has an environment of its own:

    python3 -m venv /tmp/explorer && /tmp/explorer/bin/pip install ai-edge-model-explorer
    /tmp/explorer/bin/python tests/benchmarks/explorer_nodes.py graph tests/devices/tiny.tflite
    /tmp/explorer/bin/python tests/benchmarks/explorer_nodes.py read nodes/<cell>.json <variant>.tflite

The first prints the nodes of the main graph; `tests/data/model_explorer_tiny.json` is what it printed (0.1.34 with the
adapter 0.2.1). The second reads node data with the tool's own classes and looks every key up as its page does.
"""

import json
import sys
from pathlib import Path
from typing import Any


def graph(model: str) -> list[dict[str, Any]]:
    """Id, label and names of the outputs of every node of the main graph, as the tool's adapter gives them."""
    from model_explorer.builtin_tflite_flatbuffer_adapter import BuiltinTfliteFlatbufferAdapter

    [collection, *_] = BuiltinTfliteFlatbufferAdapter().convert(model, {})["graphCollections"]
    return [
        {"id": node["id"], "label": node["label"], "outputs": _outputs(node)} for node in collection.graphs[0]["nodes"]
    ]


def _outputs(node: dict[str, Any]) -> list[str]:
    attributes = [pair for output in node["outputsMetadata"] for pair in output["attrs"]]
    return [pair["value"] for pair in attributes if pair["key"] == "tensor_name"]


def read(data: str, model: str) -> str:
    """One line on the node data. Raises ValueError where the tool would read something else or leave a key out."""
    from dacite import Config, from_dict
    from model_explorer.node_data_builder import GraphNodeData

    document = json.loads(Path(data).read_text(encoding="utf-8"))
    found = from_dict(GraphNodeData, document, Config(strict=True))
    written = json.loads(found.to_json_string())
    if {key: written[key] for key in document} != document:
        raise ValueError(f"{data} is read as something else: {written}")
    nodes = graph(model)
    by_output = {name: node for node in nodes for name in node["outputs"]}
    by_id = {node["id"]: node for node in nodes}
    lost = [key for key in found.results if key not in by_output and key not in by_id]
    if lost:
        raise ValueError(f"{data} has keys that are no node of {model}: {lost}")
    shown = [(by_output.get(key) or by_id[key])["label"] for key in found.results]
    return f"{found.name}: {len(shown)} of {len(nodes)} nodes have a time: {', '.join(shown)}"


if __name__ == "__main__":
    command, *paths = sys.argv[1:]
    print(read(*paths) if command == "read" else json.dumps(graph(*paths), indent=2))
