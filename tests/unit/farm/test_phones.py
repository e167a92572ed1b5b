"""What a node says of its phones, and which phone of a cluster is meant."""

import json
import sys
from pathlib import Path

import pytest

from common.adb.errors import NotReadyError
from common.adb.names import label
from common.errors import UsageError
from common.schema.farm import FarmPhone, FarmPhones
from jobs.farm.cluster import Node, inventory
from jobs.farm.phones import Hanging, hanging, labels
from jobs.plan import places as planned
from jobs.plan.farm import Farm, ask_farm
from jobs.plan.places import Tools, places
from tests.devices.adb_server import AdbServer
from tests.devices.fixtures import adb_server, stand_in, stand_ins
from tests.devices.standin.device import StandIn

__all__ = ["adb_server", "stand_in", "stand_ins"]
FACTS = {"ro.product.model": "Pixel 8"}


def phone(serial: str, model: str = "Pixel-8", *, free: bool = True, there: bool = True) -> FarmPhone:
    return FarmPhone(serial=serial, node="10.0.0.1", model=model, free=free, facts=FACTS if there else None)


@pytest.mark.parametrize(
    ("text", "made"), [("Pixel 8 Pro", "Pixel-8-Pro"), ("SM/G (ü)", "SM-G"), ("", "unknown"), ("x" * 99, "x" * 63)]
)
def test_a_text_is_made_a_label(text: str, made: str) -> None:
    assert label(text) == made


def test_a_phone_has_labels_of_its_own() -> None:
    known = {
        "ro.product.model": "Pixel 8", "ro.soc.manufacturer": "Google", "ro.soc.model": "Tensor G3",
        "ro.build.version.release": "15", "ro.product.cpu.abilist": "arm64-v8a,armeabi",
    }  # fmt: skip
    told = labels(Hanging("R5CT", known))
    assert told["model.edgeproof/R5CT"] == "Pixel-8"
    assert "Tensor-G3" in told["soc.edgeproof/R5CT"]
    assert (told["android.edgeproof/R5CT"], told["abi.edgeproof/R5CT"]) == ("15", "arm64-v8a")


def test_a_node_knows_the_phones_of_its_adb(
    adb_server: AdbServer, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in adb_server.address.items():
        monkeypatch.setenv(name, value)
    [found] = [each for each in hanging() if each.serial == stand_in.serial]
    assert found.properties is not None
    assert found.properties["ro.product.model"] == "Pixel 7"


def test_of_a_model_one_that_answers_and_is_free_is_taken() -> None:
    farm = Farm([phone("a", there=False), phone("b", free=False), phone("c"), phone("d"), phone("e", "Other")], None)
    assert farm.of_model("Pixel-8") == "c"
    with pytest.raises(UsageError, match=r"no phone of the cluster is a Pixel-9 \(there is a \(model:Pixel-8\)"):
        farm.of_model("Pixel-9")
    with pytest.raises(NotReadyError, match="the cluster has 5 phones"):
        farm.only()


def test_why_a_cluster_does_not_answer_is_said() -> None:
    said = "import sys; print('[log] x', file=sys.stderr); print('error: no cluster', file=sys.stderr); sys.exit(75)"
    _, reason = ask_farm([sys.executable, "-c", said])
    assert reason is not None
    assert reason.message == "no cluster"
    _, reason = ask_farm([sys.executable, "-c", "print('{}')"])
    assert "cannot be read" in str(reason)
    text = FarmPhones((phone("a"),)).model_dump_json()
    assert ask_farm([sys.executable, "-c", f"print({text!r})"]) == ((phone("a"),), None)


def test_a_run_goes_on_on_the_phone_that_it_began_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNTIME", "ray")
    monkeypatch.setattr(planned, "ask_farm", lambda: ((phone("a", free=False), phone("b")), None))
    [place] = places(["model:Pixel-8"], Tools(), tmp_path, dry=False)
    assert (place.serial, place.facts, place.live) == ("b", FACTS, True)
    for name, piece in {
        "report/results.json": {"targets": ["a"]},
        "benchmark/a/benchmark.json": {"facts": FACTS},
    }.items():
        path = tmp_path / "plan" / name
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(piece), encoding="utf-8")
    [place] = places(["model:Pixel-8"], Tools(), tmp_path, dry=False)
    assert place.serial == "a"
    monkeypatch.setattr(planned, "ask_farm", lambda: ((phone("b"),), None))
    [place] = places(["model:Pixel-8"], Tools(), tmp_path, dry=False)
    assert (place.serial, place.live) == ("a", False)


def test_a_model_is_for_a_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RUNTIME", raising=False)
    with pytest.raises(UsageError, match="is for a cluster of phones"):
        places(["model:Pixel-8"], Tools(), tmp_path, dry=True)


def test_what_a_cluster_has_fits_a_line() -> None:
    nodes = [Node("1", "a", {"CPU": 8.0, "phone:x": 1.0}, {}), Node("2", "b", {"CPU": 2.0, "GPU": 1.0}, {})]
    assert inventory(nodes) == "2 nodes with up to 8 CPU, phone:x, 1 GPU"
