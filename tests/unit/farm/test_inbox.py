"""What a node sends is put in place whole, in order, and only where its job writes."""

import hashlib
from pathlib import Path

import pytest

from jobs.farm.inbox import ArrivalError, Inbox, ready
from jobs.farm.manifest import Entry, entries, name_of
from jobs.farm.messages import Ended, Event, Grown, Made, Order, Piece, Said


def entry(name: str, data: bytes) -> Entry:
    return Entry(name, hashlib.sha256(data).hexdigest(), len(data))


class Here:
    """A folder that a job writes, and its inbox."""

    def __init__(self, tmp_path: Path) -> None:
        self.folder = tmp_path / "out"
        self.folder.mkdir()
        self.said: list[tuple[int, bytes]] = []

    def name(self, name: str) -> str:
        return name_of(self.folder / name, self.folder)

    def inbox(self) -> Inbox:
        held = entries([self.folder], self.folder)
        order = Order((), "", (), (name_of(self.folder, self.folder),), held, (), "")
        return Inbox(order, Path("/"), lambda stream, text: self.said.append((stream, text)))


@pytest.fixture
def here(tmp_path: Path) -> Here:
    return Here(tmp_path)


def take(inbox: Inbox, *events: Event) -> None:
    for event in events:
        inbox.take(event)


def test_files_come_whole_in_their_order_and_the_json_last(here: Here) -> None:
    inbox, model, card = here.inbox(), entry(here.name("m.tflite"), b"model"), entry(here.name("card.json"), b"{}")
    take(inbox, Said(1, b"line\n"), Made((model, card)), Piece(model.sha256, b"mo", last=False))
    assert not (here.folder / "m.tflite").exists()
    take(inbox, Piece(model.sha256, b"del", last=True))
    assert (here.folder / "m.tflite").read_bytes() == b"model"
    assert not (here.folder / "card.json").exists()
    take(inbox, Piece(card.sha256, b"{}", last=True), Ended(3))
    assert (inbox.status, inbox.brought_bytes, here.said) == (3, 7, [(1, b"line\n")])
    assert sorted(path.name for path in here.folder.iterdir()) == ["card.json", "m.tflite"]


def test_a_damaged_file_is_not_put_in_place(here: Here) -> None:
    inbox, model = here.inbox(), entry(here.name("m.tflite"), b"model")
    with pytest.raises(ArrivalError, match="arrived damaged"):
        take(inbox, Made((model,)), Piece(model.sha256, b"modeX", last=True))
    assert not list(here.folder.iterdir())


def test_what_did_not_arrive_is_said(here: Here) -> None:
    with pytest.raises(ArrivalError, match=r"m\.tflite did not arrive"):
        take(here.inbox(), Made((entry(here.name("m.tflite"), b"model"),)), Ended(0))


def test_a_ledger_grows_line_by_line_and_is_not_sent_again(here: Here) -> None:
    ledger = here.folder / "ledger.jsonl"
    ledger.write_bytes(b"one\n")
    inbox, name = here.inbox(), here.name("ledger.jsonl")
    take(inbox, Grown(name, 4, b"two\n"))
    assert ledger.read_bytes() == b"one\ntwo\n"
    take(inbox, Made((entry(name, b"one\ntwo\n"),)), Ended(0))
    assert inbox.status == 0


@pytest.mark.parametrize("at", [0, 3, 8])
def test_a_line_that_would_be_doubled_or_leave_a_gap_is_refused(here: Here, at: int) -> None:
    (here.folder / "ledger.jsonl").write_bytes(b"one\n")
    with pytest.raises(ArrivalError, match="was changed while its job ran"):
        take(here.inbox(), Grown(here.name("ledger.jsonl"), at, b"two\n"))
    assert (here.folder / "ledger.jsonl").read_bytes() == b"one\n"


def test_what_the_job_removed_is_removed_and_what_others_put_there_stays(here: Here) -> None:
    (here.folder / "old.tflite").write_bytes(b"old")
    inbox = here.inbox()
    (here.folder / "notes.txt").write_bytes(b"mine")
    take(inbox, Made(()), Ended(0))
    assert [path.name for path in here.folder.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("name", ["../escaped", "logs/../../escaped"])
def test_a_name_that_leads_out_is_refused(here: Here, name: str) -> None:
    named = f"{here.name('')}/{name}"
    with pytest.raises(ArrivalError, match="which the job does not write"):
        take(here.inbox(), Made((entry(named, b"x"),)))
    assert not (here.folder.parent / "escaped").exists()


def test_a_link_in_the_folder_is_not_written_through(here: Here, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    inbox = here.inbox()
    (here.folder / "logs").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ArrivalError, match="goes through a link"):
        take(inbox, Made((entry(here.name("logs/a"), b"x"),)))


def test_a_folder_is_made_ready_as_a_stage_does(here: Here) -> None:
    (here.folder / "ledger.jsonl").write_bytes(b"one\ntw")
    (here.folder / "benchmark.json").write_bytes(b"{}")
    (here.folder / ".x.partial").touch()
    ready(here.folder)
    assert {path.name: path.read_bytes() for path in here.folder.iterdir()} == {"ledger.jsonl": b"one\n"}
