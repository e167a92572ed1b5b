"""A network as one graph of layers in float32, whatever models it was put together from.

People nest a backbone into a model of their own, train in mixed precision, and leave the size or the batch of the
input open or fix it. What works on a network layer by layer sees none of that when it was written anew first.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import tensorflow as tf
import tf_keras

from common.errors import UsageError
from common.keras_file import said

FLOATS = frozenset({"float16", "bfloat16", "float64", "mixed_float16", "mixed_bfloat16"})
L = tf_keras.layers


def again(layer: Any, **changes: Any) -> Any:
    """A new layer of the same settings but for `changes`."""
    return type(layer).from_config({**layer.get_config(), **changes})


def leaves(model: Any) -> Iterator[Any]:
    """All layers that are no models themselves, those of nested models among them, without inputs."""
    for layer in model.layers:
        if isinstance(layer, tf_keras.Model):
            yield from leaves(layer)
        elif not isinstance(layer, L.InputLayer):
            yield layer


def is_flat(model: Any) -> bool:
    """Whether there is no model among the layers, none computes in other numbers than float32, and all that a layer
    learned is in its weights."""
    return not any(
        isinstance(layer, tf_keras.Model) or _in_other_numbers(layer) or _adapts(layer) for layer in model.layers
    )


def flattened(model: Any, input_shape: tuple[int, ...] | None = None) -> Any:
    """A functional model of new layers that computes what `model` does, with its weights.

    The layers of models inside it stand among its own, under their names where these are free. Everything computes in
    float32, for inputs [n, *input_shape]; None is what the model says. A model that is so already is given back itself.
    Raises UsageError naming the layer that does not take that.
    """
    fits = input_shape is None or tuple(model.inputs[0].shape) == (None, *input_shape)
    return model if fits and is_flat(model) else _Flat(model, input_shape).model()


class _Flat:
    def __init__(self, model: Any, input_shape: tuple[int, ...] | None) -> None:
        self._model, self._input_shape = model, input_shape
        self._made: dict[int, Any] = {}
        self._old: dict[int, Any] = {}
        self._names = {layer.name for layer in model.layers if not isinstance(layer, tf_keras.Model)}

    def model(self) -> Any:
        inputs = [
            L.Input(self._input_shape or tensor.shape[1:], name=name, dtype=_plain(tensor.dtype.name))
            for tensor, name in zip(self._model.inputs, self._model.input_names, strict=True)
        ]
        outputs = self._run(self._model, inputs, None, outer=None)
        made = tf_keras.Model(inputs, outputs, name=self._model.name)
        for key, layer in self._made.items():
            if not _adapts(self._old[key]):
                layer.set_weights(self._old[key].get_weights())
        return made

    def _run(self, model: Any, given: list[Any], training: bool | None, outer: Any) -> list[Any]:
        """The outputs of `model` for its inputs; `outer` is the model that it is a layer of."""
        graph = tf_keras.Model(model.inputs, model.outputs)  # A Sequential model becomes functional.
        known = {id(old): new for old, new in zip(graph.inputs, given, strict=True)}
        for depth in sorted(graph._nodes_by_depth, reverse=True):
            for node in (node for node in graph._nodes_by_depth[depth] if not node.is_input):
                args, kwargs = tf.nest.map_structure(
                    lambda value: known.get(id(value), value), (node.call_args, node.call_kwargs)
                )
                result = self._called(node.layer, args, kwargs, training, model if outer is not None else None)
                known.update(zip(map(id, tf.nest.flatten(node.outputs)), tf.nest.flatten(result), strict=True))
        return [known[id(tensor)] for tensor in graph.outputs]

    def _called(self, layer: Any, args: Any, kwargs: Mapping[str, Any], training: bool | None, outer: Any) -> Any:
        # What a model inside is called with holds for its layers too, unless they were called with something else.
        own = kwargs.get("training")
        training = training if own is None else own
        if isinstance(layer, tf_keras.Model):
            given = layer._flatten_to_reference_inputs(args[0])
            return self._run(layer, given, training, layer)
        if training is not None and _heeds_training(layer):
            kwargs = {**kwargs, "training": training}
        if id(layer) not in self._made:
            self._made[id(layer)], self._old[id(layer)] = self._new(layer, outer), layer
        try:
            return self._made[id(layer)](*args, **kwargs)
        except Exception as error:  # Keras raises whatever its layers raise.
            shape = " x ".join(map(str, self._input_shape or ()))
            text = f"layer '{layer.name}' ({type(layer).__name__}) does not take the images' {shape}: {said(error)}"
            raise UsageError(text) from error

    def _new(self, layer: Any, outer: Any) -> Any:
        if getattr(layer, "stateful", False) and isinstance(layer, L.RNN | L.Bidirectional):
            text = f"layer '{layer.name}' ({type(layer).__name__}) keeps its state from one batch of images to the next"
            raise UsageError(text, hint="an image's answer must not hang on others: leave stateful out")
        changes: dict[str, Any] = {}
        if outer is not None:
            changes["name"] = self._free(layer.name, outer.name)
            # A frozen model's layers are frozen, whatever they say themselves.
            changes |= {} if outer.trainable else {"trainable": False}
        if _adapts(layer):
            # A copy takes over weights, and not what was computed from them.
            changes |= {"mean": _values(layer.adapt_mean), "variance": _values(layer.adapt_variance)}
        config = _in_float32({**layer.get_config(), **changes})
        try:
            return type(layer).from_config(config)
        except Exception as error:
            text = f"layer '{layer.name}' ({type(layer).__name__}) cannot be copied: {said(error)}"
            raise UsageError(text, hint="passes work on copies of the network") from error

    def _free(self, name: str, outer: str) -> str:
        for number in range(len(self._names) + 2):
            wanted = name if not number else f"{outer}_{name}" if number == 1 else f"{outer}_{name}_{number}"
            if wanted not in self._names:
                self._names.add(wanted)
                return wanted
        raise AssertionError("there are more numbers than names")


def _heeds_training(layer: Any) -> bool:
    # An attention or a recurrent layer without dropout does the same in training; one that is wrapped to be pruned
    # must still be told that it is training.
    config = layer.get_config()
    drops = config.get("dropout", True) or config.get("recurrent_dropout", False)
    return bool(layer._call_spec.expects_training_arg and drops)


def _adapts(layer: Any) -> bool:
    return isinstance(layer, L.Normalization) and layer.input_mean is None


def _values(variable: Any) -> Any:
    return variable.numpy().tolist()


def _in_other_numbers(layer: Any) -> bool:
    return bool(_in_float32(config := layer.get_config()) != config)


def _in_float32(config: Any) -> Any:
    """A layer's settings, those of the layers that it wraps among them, with float32 in place of other real numbers."""
    if isinstance(config, dict):
        if config.get("class_name") == "Policy":
            return _plain(config["config"]["name"])
        return {key: _plain(value) if key == "dtype" else _in_float32(value) for key, value in config.items()}
    return [_in_float32(value) for value in config] if isinstance(config, list) else config


def _plain(dtype: Any) -> Any:
    if isinstance(dtype, dict):
        return _in_float32(dtype)
    return "float32" if dtype in FLOATS else dtype
