"""Functional Keras models as graphs of layers: look around in one, and build it anew with changes."""

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf
import tf_keras

from common.networks.flat import again

# A layer that is new and not yet built, with the weights that it shall have.
Part = tuple[Any, Sequence[Any]]


class Graph:
    """A model's layers in topological order, without its inputs, and who feeds whom."""

    def __init__(self, model: Any) -> None:
        # A Sequential model becomes functional, so that there is one form.
        self._model = tf_keras.Model(model.inputs, model.outputs, name=model.name)
        depths = self._model._nodes_by_depth
        self._nodes = [node for depth in sorted(depths, reverse=True) for node in depths[depth] if not node.is_input]
        self._made_by = {id(tensor): node for node in self._nodes for tensor in tf.nest.flatten(node.outputs)}
        ends = {id(tensor) for tensor in self._model.outputs}
        self._takers: dict[int, list[Any]] = {}
        for node in self._nodes:
            for tensor in node.keras_inputs:
                self._takers.setdefault(id(tensor), []).append(node)
        self._ends = {id(node) for key, node in self._made_by.items() if key in ends}
        self._node_of: dict[int, Any] = {}
        shared = set()
        for node in self._nodes:
            shared.update({id(node.layer)} & self._node_of.keys())
            self._node_of[id(node.layer)] = node
        self._shared = shared

    @property
    def layers(self) -> list[Any]:
        """Every layer once; a layer that is called several times is shared and stands where it was last."""
        return [node.layer for node in self._node_of.values()]

    def is_shared(self, layer: Any) -> bool:
        """Whether the model calls the layer more than once; such a layer must not be changed."""
        return id(layer) in self._shared

    def inputs_of(self, layer: Any) -> list[Any]:
        """What a layer takes, tensor by tensor, at every call of it."""
        return [tensor for node in self._nodes if node.layer is layer for tensor in node.keras_inputs]

    def before(self, layer: Any) -> Any | None:
        """The layer whose output `layer` alone takes, and takes alone; None where paths meet or part."""
        node = self._node_of[id(layer)]
        if len(node.keras_inputs) != 1:
            return None
        source = self._made_by.get(id(node.keras_inputs[0]))
        return source.layer if source is not None and self._only_taker(source) is node else None

    def after(self, layer: Any) -> Any | None:
        """The layer that alone takes the output of `layer`, and nothing else; None where paths meet or part."""
        taker = self._only_taker(self._node_of[id(layer)])
        return taker.layer if taker is not None and len(taker.keras_inputs) == 1 else None

    def _only_taker(self, node: Any) -> Any | None:
        outputs = tf.nest.flatten(node.outputs)
        takers = self._takers.get(id(outputs[0]), [])
        single = len(outputs) == 1 and len(takers) == 1 and id(node) not in self._ends
        return takers[0] if single and not self.is_shared(node.layer) else None

    def rebuild(self, edits: Mapping[str, Sequence[Part]]) -> Any:
        """A functional model of new layers with the weights of the old ones. `edits` gives, by layer name,
        the parts that take a layer's place, one after the other; an empty sequence removes it."""
        made = {layer.name: edits.get(layer.name, [(again(layer), layer.get_weights())]) for layer in self.layers}
        inputs = [tf_keras.Input(tensor.shape[1:], dtype=tensor.dtype) for tensor in self._model.inputs]
        known = {id(old): new for old, new in zip(self._model.inputs, inputs, strict=True)}
        for node in self._nodes:
            args, kwargs = tf.nest.map_structure(
                lambda value: known.get(id(value), value), (node.call_args, node.call_kwargs)
            )
            result = self._run(made[node.layer.name], args, kwargs)
            known.update(zip(map(id, tf.nest.flatten(node.outputs)), tf.nest.flatten(result), strict=True))
        model = tf_keras.Model(inputs, [known[id(tensor)] for tensor in self._model.outputs], name=self._model.name)
        for parts in made.values():
            for layer, weights in parts:
                layer.set_weights(list(weights))
        return model

    @staticmethod
    def _run(parts: Sequence[Part], args: Any, kwargs: Any) -> Any:
        if not parts:
            return args[0]
        (first, _), *rest = parts
        result = first(*args, **kwargs)
        for layer, _ in rest:
            result = layer(result)
        return result
