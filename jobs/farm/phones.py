"""The phones of a cluster: what a node says of those that hang on it, and all of them together."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from common.adb.asked import LASTING, attached, properties_of, start_server
from common.adb.attached import Attached
from common.adb.errors import NotReadyError
from common.adb.facts import soc
from common.adb.names import LONGEST_LABEL, label, safe_name
from common.schema.farm import FarmPhone, FarmPhones
from jobs.farm.cluster import Cluster, Node
from jobs.farm.errors import LostError
from jobs.farm.order import PHONE, resource

MODEL, DOMAIN = "model", "edgeproof"


@dataclass(frozen=True)
class Hanging:
    """A phone that adb knows on a node, and all that it says of itself; None for one that does not answer."""

    serial: str
    properties: Mapping[str, str] | None


def hanging() -> tuple[Hanging, ...]:
    """The phones of this machine. A server is started where none runs."""
    try:
        found = attached()
    except NotReadyError:
        start_server()
        found = _attached_or_none()
    return tuple(Hanging(each.serial, _properties(each)) for each in found)


def _attached_or_none() -> tuple[Attached, ...]:
    try:
        return attached()
    except NotReadyError:
        return ()


def _properties(phone: Attached) -> Mapping[str, str] | None:
    if phone.state != "device":
        return None
    try:
        return properties_of(phone.serial)
    except NotReadyError:
        return None


def labels(phone: Hanging) -> dict[str, str]:
    """What a node says of a phone to whoever asks Ray: model.edgeproof/<phone> and the like."""
    known = dict(phone.properties or {})
    told = {
        MODEL: known.get("ro.product.model", ""),
        "soc": soc(known),
        "android": known.get("ro.build.version.release", ""),
        "abi": known.get("ro.product.cpu.abilist", "").partition(",")[0],
    }
    return {_key(kind, phone.serial): label(text) for kind, text in told.items()}


def _key(kind: str, serial: str) -> str:
    return f"{kind}.{DOMAIN}/{safe_name(serial)[:LONGEST_LABEL].strip('-_.')}"


def phones(cluster: Cluster) -> FarmPhones:
    """Every phone of a cluster. Raises LostError."""
    nodes = [node for node in cluster.nodes() if _serials(node)]
    asked = [(node, cluster.ask(node, hanging)) for node in nodes]
    free = cluster.free()

    def every() -> Iterator[FarmPhone]:
        for node, answer in asked:
            try:
                known = {phone.serial: phone.properties for phone in answer()}
            except LostError:
                known = {}
            for serial in _serials(node):
                facts = known.get(serial)
                yield FarmPhone(
                    serial=serial,
                    node=node.address,
                    model=node.labels.get(_key(MODEL, serial), "unknown"),
                    free=free.get(resource(serial), 0.0) >= 1,
                    facts=None if facts is None else {name: facts[name] for name in LASTING if name in facts},
                )

    return FarmPhones(tuple(every()))


def _serials(node: Node) -> list[str]:
    return sorted(name.removeprefix(PHONE) for name in node.resources if name.startswith(PHONE))
