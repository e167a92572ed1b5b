"""The Docker engine: the only module that talks to it through its SDK."""

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import docker
import requests
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from docker.types import DeviceRequest, Mount
from docker.utils.socket import frames_iter

from common.errors import EdgeproofError, TryLaterError, UsageError
from jobs.launch.adb_access import USB
from jobs.launch.ingredients import IDENTITY_LABEL
from jobs.launch.mounts import Bind
from jobs.launch.settings import EngineFacts, Limits

RUN_LABEL = "edgeproof.run"
# TensorFlow starts some threads per core; a fork bomb starts more than this.
MOST_PROCESSES = 4096
# A busy engine may take its time to create a container.
PATIENCE_S = 60
NANO = 1_000_000_000
# What make is willing to wait for when it chooses where the stages run.
PROBE_PATIENCE_S = 2
# A container that is gone, or is going.
NOT_FOUND, CONFLICT = 404, 409
START_IT = "start Docker, or use RUNTIME=local"


@dataclass(frozen=True)
class Contained:
    """A command in a container and what it may use there. `name` is the container's, `user` is uid:gid inside of it."""

    name: str
    image_id: str
    argv: tuple[str, ...]
    binds: tuple[Bind, ...]
    folder: Path
    user: str
    environment: Mapping[str, str]
    limits: Limits
    network: Literal["none", "bridge", "host"]
    gpu: bool
    usb: bool = False
    groups: tuple[int, ...] = ()


class Running:
    """A container that was started, and whose standard input is open as long as this process lives."""

    def __init__(self, container: Any, attached: Any, exited: Any) -> None:
        self._container = container
        self._attached = attached
        self._exited = exited

    def frames(self) -> Iterator[tuple[int, bytes]]:
        """Output as it comes: (1 for standard output or 2 for standard error, bytes), to its end."""
        yield from frames_iter(self._attached, tty=False)  # type: ignore[no-untyped-call]

    def status(self) -> int:
        """Wait until the container has ended and is removed; its exit status."""
        with _in_plain_words("the container was lost"):
            return int(self._exited.json()["StatusCode"])

    def send(self, signal_name: str) -> None:
        """Send a signal such as SIGINT to the job. One that has ended takes none, which is no error."""
        with _in_plain_words(f"{signal_name} was not delivered"):
            _unless_gone(lambda: self._container.kill(signal=signal_name))


class Engine:
    """A Docker engine that answers."""

    def __init__(self, client: Any, facts: EngineFacts) -> None:
        self._client = client
        self.facts = facts

    def image_id(self, name: str, identity: str | None = None) -> str | None:
        """Id of a local image; None when there is none, or one whose identity label differs."""
        with _in_plain_words(f"looking for {name} failed"):
            try:
                image = self._client.images.get(name)
            except ImageNotFound:
                return None
        if identity is not None and image.labels.get(IDENTITY_LABEL) != identity:
            return None
        return str(image.id)

    def start(self, job: Contained) -> Running:
        """Create a container, take hold of its streams and its end, then start it.

        The engine removes it when it ends. Raises EdgeproofError, and leaves no container then.
        """
        with _in_plain_words("the container could not be started"):
            container = self._client.containers.create(**_options(job))
            try:
                streams = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
                attached = self._client.api.attach_socket(container.id, params=streams)
                exited = self._wait(container.id)
                container.start()
            except BaseException:
                self.remove(job.name)
                raise
        return Running(container, attached, exited)

    def remove(self, name: str) -> None:
        """Kill and remove a container. One that does not exist is no error."""
        with _in_plain_words(f"removing {name} failed"):
            _unless_gone(lambda: self._client.api.remove_container(name, force=True, v=True))

    def _wait(self, container_id: str) -> requests.Response:
        # The SDK's own wait() returns only at the end, and so cannot tell when the engine has begun to
        # watch; a short job could be over, and removed, by then. These headers come when it watches.
        api = self._client.api
        url = f"{api.base_url}/v{api.api_version}/containers/{container_id}/wait"
        response: requests.Response = api.post(url, params={"condition": "removed"}, stream=True, timeout=None)
        response.raise_for_status()
        return response


def connect(timeout_s: int = PATIENCE_S) -> Engine:
    """The engine of DOCKER_HOST or of the current docker context.

    Raises UsageError when none answers, or when it does not let this user in.
    """
    try:
        client = docker.from_env(timeout=timeout_s)
        return Engine(client, _facts(client))
    except (DockerException, requests.exceptions.RequestException, OSError) as error:
        if "Permission denied" in str(error):
            hint = "add yourself to the group docker and log in again, or use RUNTIME=local"
            raise UsageError("this user may not talk to the Docker engine: permission denied", hint=hint) from None
        where = f" at {os.environ['DOCKER_HOST']}" if os.environ.get("DOCKER_HOST") else ""
        raise UsageError(f"no Docker engine answers{where}: {_reason(error)}", hint=START_IT) from None


def probe_version() -> str:
    """Version of the engine. Raises TryLaterError when none answers soon."""
    try:
        return connect(PROBE_PATIENCE_S).facts.version
    except UsageError as error:
        raise TryLaterError(error.message, hint=error.hint) from None


def _facts(client: Any) -> EngineFacts:
    info, version = client.info(), client.version()
    security = " ".join(info.get("SecurityOptions") or ())
    return EngineFacts(
        version=version["Version"],
        platform=f"{version['Os']}/{version['Arch']}",
        memory_bytes=info["MemTotal"],
        cpus=info["NCPU"],
        nvidia="nvidia" in (info.get("Runtimes") or {}),
        rootless="name=rootless" in security,
    )


def _options(job: Contained) -> dict[str, Any]:
    """Everything that is not listed here is at its most restrictive or not given at all."""
    return {
        "image": job.image_id,
        "name": job.name,
        "labels": {RUN_LABEL: job.name},
        "entrypoint": [],
        "command": list(job.argv),
        "working_dir": str(job.folder),
        "environment": dict(job.environment),
        "user": job.user,
        "mounts": [
            Mount(str(bind.path), str(bind.source), type="bind", read_only=bind.read_only) for bind in job.binds
        ],
        "read_only": True,
        "tmpfs": {"/tmp": "mode=1777"},  # noqa: S108
        "network_mode": job.network,
        # The proxies of ~/.docker/config.json are of use to a job with a network only.
        "use_config_proxy": job.network != "none",
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"],
        "pids_limit": MOST_PROCESSES,
        "mem_limit": job.limits.memory_bytes,
        # The same figure: no swap, which would make a job slow rather than end it.
        "memswap_limit": job.limits.memory_bytes,
        "nano_cpus": None if job.limits.cpus is None else round(job.limits.cpus * NANO),
        "device_requests": [DeviceRequest(count=-1, capabilities=[["gpu"]])] if job.gpu else None,
        "devices": [f"{USB}:{USB}:rw"] if job.usb else None,
        "group_add": [str(group) for group in job.groups] or None,
        "init": True,
        "stdin_open": True,
        "auto_remove": True,
    }


def _unless_gone(call: Any) -> None:
    try:
        call()
    except NotFound:
        return
    except APIError as error:
        if error.status_code not in (NOT_FOUND, CONFLICT):
            raise


def _reason(error: Exception) -> str:
    if isinstance(error, APIError):
        return str(error.explanation or error)
    # The cause that requests and urllib3 wrapped several times over is the part for people.
    cause: BaseException = error
    while cause.__context__ is not None:
        cause = cause.__context__
    return getattr(cause, "strerror", None) or str(cause)


@contextlib.contextmanager
def _in_plain_words(what: str) -> Iterator[None]:
    try:
        yield
    except (DockerException, requests.exceptions.RequestException) as error:
        # An engine that refuses gives its reason; one that is gone gives none that helps.
        hint = None if isinstance(error, APIError) else "is the Docker engine still running?"
        raise EdgeproofError(f"{what}: {_reason(error)}", hint=hint) from None
