"""The one place that knows Ray: a cluster, its nodes, and a job's seat on one of them. Imported when it is used."""

import os
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from common.errors import EdgeproofError
from jobs.farm.errors import LostError, NobodyHasError, NoClusterError
from jobs.farm.identity import Identity
from jobs.farm.messages import Event, Order, Piece
from jobs.farm.seat import Seat

ADDRESS_VARIABLE, TOKEN_VARIABLE = "RAY_ADDRESS", "RAY_AUTH_TOKEN_PATH"
LOOPBACK = "127.0.0.1"
# A node says something every five seconds while a job runs there.
SILENCE_S = 60.0
# A call that does its work at once.
CALL_S = 120.0
# Others bring the same files first.
OPEN_S = 2000.0
CONNECT_S = 10.0
START = "make farm starts one, make farm-join joins one"
# What is on its way between two processes; files are not kept there.
STORE_BYTES = 256 << 20
# How long a node looks for a head that is gone before it ends.
HEAD_CONFIG = {"gcs_rpc_server_reconnect_timeout_s": 20}
# Beside `run`, a seat takes `stop`.
AT_ONCE = 2

# What Ray raises when it cannot start or join; its own errors are RuntimeErrors or none of these.
FAILURES = (ConnectionError, RuntimeError, ValueError, OSError, TimeoutError)

T = TypeVar("T")


@dataclass(frozen=True)
class Node:
    """A node that is alive: Ray's id and address, how much of each resource it has, and its labels."""

    id: str
    address: str
    resources: Mapping[str, float]
    labels: Mapping[str, str]


def prepare(address: str) -> None:
    """Set what Ray reads from the environment, before it is imported: a token is asked for, nothing is reported to
    anybody, and on the loopback address it listens there alone. Ray takes 127.0.0.1 for this machine's own address
    where it thinks of clusters, and listens everywhere then."""
    os.environ["RAY_AUTH_MODE"] = "token"
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    # Ray gives its workers what everything else leaves; a job that is measured or waited for is no less than others.
    os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112
    if address.rpartition(":")[0] == LOOPBACK:
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"


@contextmanager
def joined(address: str) -> Iterator["Cluster"]:
    """The cluster at host:port of its head. Raises NoClusterError."""
    prepare(address)
    host, _, port = address.rpartition(":")
    try:
        # Ray itself would try for minutes.
        socket.create_connection((host, int(port)), timeout=CONNECT_S).close()
    except OSError as error:
        said = f"no cluster at RAY_ADDRESS={address}: {error.strerror or error}"
        raise NoClusterError(said, hint=START) from None
    import ray

    # Where this driver stands is where its workers would look for modules first; they have their own checkout.
    here = Path.cwd()
    os.chdir("/")
    try:
        ray.init(address=address, logging_level="CRITICAL", log_to_driver=False)
    except (ray.exceptions.RayError, *FAILURES) as error:
        raise NoClusterError(f"no cluster at RAY_ADDRESS={address}: {_first(error)}", hint=_advice(error)) from None
    finally:
        os.chdir(here)
    try:
        yield Cluster()
    finally:
        ray.shutdown()


def _first(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def _advice(error: Exception) -> str:
    text = str(error).lower()
    if "node" in text and "found" in text:
        return "this machine is no node of it yet: make farm-join CPUS=0"
    if "timed out during startup" in text:
        return "this machine is busy, or the head is: a node tries again by itself"
    # Something listens there, and of a wrong token Ray says no more than that it failed.
    return f"the cluster's token belongs into ~/.ray/auth_token, or into the file that {TOKEN_VARIABLE} names"


class Cluster:
    """What the driver is joined to."""

    def nodes(self) -> tuple[Node, ...]:
        """Those that are alive. Raises LostError."""
        import ray

        found = _told(ray.nodes)
        return tuple(
            Node(each["NodeID"], each["NodeManagerAddress"], each["Resources"], each["Labels"])
            for each in found
            if each["Alive"]
        )

    def free(self) -> Mapping[str, float]:
        """How much of each resource nobody uses now."""
        import ray

        return _told(ray.available_resources)

    def ask(self, node: Node, question: Callable[[], T]) -> Callable[[], T]:
        """Have a function of this checkout called on a node; the call that gives the answer raises LostError."""
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        there = NodeAffinitySchedulingStrategy(node.id, soft=False)
        answer = ray.remote(question).options(num_cpus=0, max_retries=0, scheduling_strategy=there).remote()
        return lambda: _told(lambda: ray.get(answer, timeout=CALL_S))

    def seat(self, cpus: int, gpus: int, resources: Mapping[str, float]) -> "RemoteSeat":
        """A seat on a node that has these; it is there when `RemoteSeat.ready` says so.

        Raises NobodyHasError where no node has them at all.
        """
        import ray

        wanted = {"CPU": float(cpus), "GPU": float(gpus), **resources}
        nodes = self.nodes()
        if not any(all(node.resources.get(name, 0.0) >= much for name, much in wanted.items()) for node in nodes):
            raise NobodyHasError(f"no node of the cluster has {_listed(wanted)}", hint=f"there is {inventory(nodes)}")
        options = ray.remote(max_concurrency=AT_ONCE, max_restarts=0)(Seat)
        return RemoteSeat(options.options(num_cpus=cpus, num_gpus=gpus, resources=dict(resources)).remote())


class RemoteSeat:
    """`jobs.farm.seat.Seat` on a node. Every call raises what the seat raised, or LostError."""

    def __init__(self, actor: Any) -> None:
        self._actor = actor
        self._where = actor.where.remote()

    def ready(self, wait_s: float) -> str | None:
        """Name of its node; None while nothing is free yet."""
        import ray

        found, _ = _told(lambda: ray.wait([self._where], timeout=wait_s))
        return _told(lambda: ray.get(self._where, timeout=CALL_S)) if found else None

    def who(self, stage: str) -> Identity:
        """What the node would run a stage with."""
        told: Identity = self._call("who", CALL_S, stage)
        return told

    def open(self, order: Order) -> tuple[str, ...]:
        """Take a job on; what is missing there."""
        missing: tuple[str, ...] = self._call("open", OPEN_S, order)
        return missing

    def take(self, pieces: Sequence[Piece], *, all_sent: bool) -> None:
        """Pieces of contents."""
        self._call("take", CALL_S, pieces, all_sent=all_sent)

    def run(self) -> Iterator[Event]:
        """What happens, to the end."""
        import ray

        events = self._actor.run.options(num_returns="streaming").remote()
        while True:
            ready, _ = _told(lambda: ray.wait([events], timeout=SILENCE_S))
            if not ready:
                raise LostError(f"the node has said nothing for {SILENCE_S:.0f} s")
            try:
                told = next(events)
            except StopIteration:
                return
            yield _got(told, SILENCE_S)

    def stop(self, number: int) -> None:
        """Hand a signal on to the job; nobody waits for it."""
        self._actor.stop.remote(number)

    def leave(self) -> None:
        """Give the seat up."""
        import ray

        ray.kill(self._actor)

    def _call(self, name: str, limit_s: float, *arguments: object, **named: object) -> Any:
        import ray

        asked = getattr(self._actor, name).remote(*arguments, **named)
        return _told(lambda: ray.get(asked, timeout=limit_s))


def _got(told: Any, limit_s: float) -> Any:
    import ray

    return _told(lambda: ray.get(told, timeout=limit_s))


def _told(call: Callable[[], T]) -> T:
    """What a call gives. Raises what the other side meant to say, or LostError."""
    import ray

    try:
        return call()
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, EdgeproofError):
            raise error.cause from None
        raise LostError(f"the node failed: {str(error).strip().splitlines()[-1]}") from None
    except ray.exceptions.ActorDiedError as error:
        if "ModuleNotFoundError" in str(error) or "AttributeError" in str(error):
            hint = "check the same commit out there, and make farm-join again"
            raise NoClusterError("the node runs another version of edgeproof", hint=hint) from None
        raise LostError("the node that ran it is gone") from None
    except ray.exceptions.RayActorError:
        raise LostError("the node that ran it is gone") from None
    except ray.exceptions.RayError as error:
        raise LostError(f"the node does not answer: {_first(error)}") from None


def _listed(wanted: Mapping[str, float]) -> str:
    return " and ".join(f"{much:g} {name}" if ":" not in name else name for name, much in wanted.items() if much)


def inventory(nodes: Sequence[Node]) -> str:
    """What a cluster has, in one line."""
    phones = sorted({name for node in nodes for name in node.resources if name.startswith("phone:")})
    most = max((node.resources.get("CPU", 0.0) for node in nodes), default=0.0)
    gpus = sum(node.resources.get("GPU", 0.0) for node in nodes)
    told = [f"{len(nodes)} {'node' if len(nodes) == 1 else 'nodes'} with up to {most:g} CPU", *phones]
    return ", ".join([*told, f"{gpus:g} GPU"] if gpus else told)


class RayNode:
    """This machine, or a part of it, as a node: the processes that Ray needs, which end with this one however it ends.
    `head_port` makes it the head, which every node finds at that port; any other joins the one at `address`.

    Ray's command line cannot start a second node on a loopback address, so its node is started directly.
    Raises NoClusterError.
    """

    def __init__(
        self, address: str, *, head: bool, cpus: int | None, resources: Mapping[str, float], labels: Mapping[str, str]
    ) -> None:
        prepare(address)
        import ray
        from ray._private.authentication.authentication_token_setup import ensure_token_if_auth_enabled
        from ray._private.node import Node as Started
        from ray._private.parameter import RayParams

        host, _, port = address.rpartition(":")
        own = host if head or host == LOOPBACK else ray.util.get_node_ip_address()
        try:
            ensure_token_if_auth_enabled(None, create_token_if_missing=head)
            asked = RayParams(
                node_ip_address=own,
                num_cpus=cpus,
                resources=dict(resources),
                labels=dict(labels),
                object_store_memory=STORE_BYTES,
                include_dashboard=False,
                include_log_monitor=False,
                no_monitor=True,
                min_worker_port=0,
                max_worker_port=0,
                dashboard_agent_listen_port=None,
                _system_config=HEAD_CONFIG if head else None,
                **({"gcs_server_port": int(port)} if head else {"gcs_address": address}),
            )
            self._node = Started(asked, head=head, shutdown_at_exit=True, spawn_reaper=True)
        except Exception as error:
            # Ray says so with a plain Exception when a node has not started in time.
            if type(error) is not Exception and not isinstance(error, (ray.exceptions.RayError, *FAILURES)):
                raise
            raise NoClusterError(f"no cluster at RAY_ADDRESS={address}: {_first(error)}", hint=_advice(error)) from None

    def alive(self) -> bool:
        """Whether all of its processes run."""
        return not self._node.dead_processes()

    def end(self) -> None:
        """End what is left of it."""
        self._node.kill_all_processes(check_alive=False, allow_graceful=False)
