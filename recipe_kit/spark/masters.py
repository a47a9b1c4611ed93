"""Which Spark is meant: the master's URL, where it comes from, and whether anything answers there."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from recipe_kit.errors import SparkUnavailableError

Kind = Literal["local", "standalone", "yarn", "kubernetes", "connect", "submitted"]

_LOCAL = re.compile(r"local(\[\s*(\*|\d+)\s*(,\s*\d+\s*)?\])?")
_PRETEND_CLUSTER = re.compile(r"local-cluster\[[^\]]+\]")
_KNOWN = "local[*], spark://HOST:PORT, yarn, k8s://https://HOST:PORT or sc://HOST:PORT"
_DEFAULT_PORTS = {"spark": 7077, "sc": 15002, "https": 443, "http": 80}


@dataclass(frozen=True)
class Master:
    """A master's URL and the kind of Spark behind it."""

    url: str
    kind: Kind

    @property
    def is_local(self) -> bool:
        """Whether everything runs in one Java process of this machine."""
        return self.kind == "local"

    @property
    def cores(self) -> int:
        """How many tasks a local master runs at once."""
        asked = re.match(r"local\[\s*(\*|\d+)", self.url)
        if asked is None:
            return 1
        return (os.cpu_count() or 1) if asked[1] == "*" else int(asked[1])

    @property
    def addresses(self) -> tuple[tuple[str, int], ...]:
        """Host and port of each process that must answer; none for local and YARN masters."""
        if self.kind not in ("standalone", "kubernetes", "connect") or self.url.startswith("local"):
            return ()
        if self.kind == "standalone":
            return tuple(_address(part, "spark") for part in self.url.removeprefix("spark://").split(","))
        if self.kind == "connect":
            return (_address(re.split(r"[/;]", self.url.removeprefix("sc://"), maxsplit=1)[0], "sc"),)
        server = self.url.removeprefix("k8s://")
        scheme, _, rest = server.rpartition("://")
        return (_address(rest.split("/", 1)[0], scheme or "https"),)

    @property
    def is_on_this_machine(self) -> bool:
        """Whether executors can be expected to see this machine's files and its Python."""
        here = {"localhost", socket.gethostname(), "::1"}
        return self.url.startswith("local") or (
            bool(self.addresses) and all(host in here or host.startswith("127.") for host, _ in self.addresses)
        )


def resolve_master(
    asked: str | None, settings: Mapping[str, str], environment: Mapping[str, str] | None = None
) -> Master:
    """The master that is meant: what was asked for, the setting ``spark.master``, SPARK_REMOTE, else ``local[*]``.

    Raises:
        SparkUnavailableError: the URL is of no known form.
    """
    environment = os.environ if environment is None else environment
    url = asked or settings.get("spark.master")
    if url is None and "PYSPARK_GATEWAY_PORT" in environment:
        # spark-submit started this Python: it has chosen the master, and its Java process is already running.
        return Master("", "submitted")
    url = (url or environment.get("SPARK_REMOTE") or "local[*]").strip()
    kind = _kind(url)
    if kind is None:
        raise SparkUnavailableError(f"{url!r} is not the URL of a Spark master", hint=f"give {_KNOWN}")
    master = Master(url, kind)
    try:
        _ = master.addresses
    except ValueError as error:
        raise SparkUnavailableError(
            f"{url!r} names no host and port of a Spark master", hint=f"give {_KNOWN}"
        ) from error
    return master


def check_that_it_answers(master: Master, environment: Mapping[str, str] | None = None, *, seconds: float = 5) -> None:
    """Knock before a Java process starts, because Spark itself would keep trying for minutes and say it in 60 lines.

    Raises:
        SparkUnavailableError: no process answers there, or a YARN master without Hadoop's configuration.
    """
    environment = os.environ if environment is None else environment
    if master.kind == "yarn" and not (environment.get("HADOOP_CONF_DIR") or environment.get("YARN_CONF_DIR")):
        raise SparkUnavailableError(
            "the master 'yarn' is found through Hadoop's configuration, and none is named",
            hint="set HADOOP_CONF_DIR or YARN_CONF_DIR to its folder",
        )
    addresses = master.addresses
    problems: list[str] = []
    for address in addresses:
        try:
            socket.create_connection(address, timeout=seconds / len(addresses)).close()
        except OSError as error:
            problems.append(f"{address[0]}:{address[1]} {_in_words(error, seconds)}")
        else:
            return  # of several masters only one needs to be up
    if problems:
        raise SparkUnavailableError(
            f"the Spark master {master.url} does not answer ({', '.join(problems)})",
            hint="check the address, and that this machine may reach it",
        )


def _kind(url: str) -> Kind | None:
    if _LOCAL.fullmatch(url):
        return "local"
    if _PRETEND_CLUSTER.fullmatch(url):
        return "standalone"
    by_start: dict[str, Kind] = {"spark://": "standalone", "k8s://": "kubernetes", "sc://": "connect"}
    for start, kind in by_start.items():
        if url.startswith(start) and len(url) > len(start):
            return kind
    return "yarn" if url == "yarn" else None


def _address(text: str, scheme: str) -> tuple[str, int]:
    parts = urlsplit(f"//{text}")
    if not parts.hostname:
        raise ValueError(text)
    return parts.hostname, parts.port or _DEFAULT_PORTS[scheme]


def _in_words(error: OSError, seconds: float) -> str:
    if isinstance(error, socket.gaierror):
        return "is not a known host"
    if isinstance(error, ConnectionRefusedError):
        return "refused the connection"
    if isinstance(error, TimeoutError):
        return f"was silent for {seconds:g} s"
    return error.strerror or str(error)
