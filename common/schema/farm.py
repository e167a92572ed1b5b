"""What a cluster says of the phones that hang on its nodes, from `jobs.farm` to the plan."""

from pydantic import RootModel

from common.schema.base import Model


class FarmPhone(Model):
    """A phone of a node, under the name that the node's adb has for it. `model` is as in DEVICE=model:<model>. `facts`
    is what it says that it is, None for one that does not answer now; `free`: no run uses it."""

    serial: str
    node: str
    model: str
    free: bool
    facts: dict[str, str] | None


class FarmPhones(RootModel[tuple[FarmPhone, ...]]):
    """All of them."""
