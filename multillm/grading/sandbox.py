"""Runs generated Python code in a locked-down process and says what its functions return.

What the code is held against never enters that process: it gets the code and expressions to evaluate, and sends back
values as JSON, which are compared here. So nothing that the code does (printing "ok", leaving early, replacing
``__eq__``, ``assert`` or ``print``, writing results of its own) earns a mark, except returning the right values.

On Linux (x86_64 and aarch64) the kernel enforces, from before the first line of the code:

- a seccomp filter lets through about 25 system calls: reading and writing what is open (the result file and
  ``/dev/null``), memory, signal handlers, clocks, random bytes and exit. Opening a file for reading or writing, a
  socket, a process, a thread, a signal to another process, reading another process's memory all fail with EPERM;
- resource limits: CPU seconds, address space, bytes written, no core file; a limit on wall time is kept here;
- the process dies with its parent.

On every system, the interpreter is isolated (``-I -S``), its environment is empty, its folder is a temporary one, and
an audit hook refuses every audited event but compiling and executing (so ``open``, ``import`` of what is not yet
loaded, ``socket``, ``subprocess``, ``ctypes``, ``os.*`` and ``gc`` raise PermissionError).

On macOS there is no filter: the audit hook, and limits on CPU seconds, bytes written and processes, are all there is.
The address space limit is not kept there, and an audit hook stops mistakes, not an attacker who knows CPython
well. On Windows, and on Linux where the filter cannot be set, nothing is run.

It is proof against code that models write, carelessly or on a prompt's instigation. It is no virtual machine: it
does not hide the time and the process id, it shares the kernel and the processor's caches, and a fault in one of the
allowed system calls or in the kernel's filter would let code out.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from multillm.errors import SandboxUnavailable

__all__ = ["Evaluated", "SandboxLimits", "evaluate"]

CHILD = Path(__file__).with_name("sandbox_child.py")
MOST_CODE = 100_000


@dataclass(frozen=True, slots=True)
class SandboxLimits:
    """What a run may use up.

    Attributes
    ----------
    cpu_s : int
        Processor seconds.
    wall_s : float
        Seconds by the clock; well above ``cpu_s``, so that a busy machine fails no right answer.
    memory_bytes : int
        Address space, interpreter included. Not kept on macOS.
    output_bytes : int
        Bytes written, all results together.
    """

    cpu_s: int = 2
    wall_s: float = 10.0
    memory_bytes: int = 512 << 20
    output_bytes: int = 1 << 20


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What the expressions came to.

    Attributes
    ----------
    outcomes : tuple of mapping
        In order, ``{"value": JSON}`` or ``{"raised": name of the exception}``; fewer than asked for where the
        process ended early.
    ended : str
        ``finished``, or why it ended early.
    """

    outcomes: tuple[Mapping[str, Any], ...]
    ended: str


def evaluate(code: str, expressions: Sequence[str], limits: SandboxLimits | None = None) -> Evaluated:
    """Run untrusted code, then evaluate expressions with the names it defined.

    Parameters
    ----------
    code : str
        Python source. A top-level statement that raises is passed over.
    expressions : sequence of str
        Python expressions; these are trusted.
    limits : SandboxLimits, optional
        What the run may use up.

    Returns
    -------
    Evaluated
        A value in JSON: tuples are lists, a mapping is ``{"dict": [[key, value], ...]}``, a set ``{"set": [...]}``,
        both sorted; what JSON cannot hold is ``{"repr": text}``.

    Raises
    ------
    SandboxUnavailable
        If this machine cannot lock a process down.
    """
    if sys.platform == "win32" or not sys.executable:
        raise SandboxUnavailable("generated code runs on Linux and macOS only; use one of them, or leave code unscored")
    limits = limits or SandboxLimits()
    if len(code) > MOST_CODE:
        return Evaluated((), f"the code has {len(code)} characters; allowed are {MOST_CODE}")
    job = {"code": code, "expressions": list(expressions), "limits": _rlimits(limits), "parent": os.getpid()}
    with (
        tempfile.TemporaryDirectory(prefix="multillm-") as folder,
        tempfile.TemporaryFile() as asked,
        tempfile.TemporaryFile() as answered,
    ):
        asked.write(json.dumps(job).encode())
        asked.seek(0)
        ended = _run(asked, answered, folder, limits)
        answered.seek(0)
        lines = _lines(answered.read(limits.output_bytes))
    if not lines or "ready" not in lines[0]:
        fault = lines[0].get("unavailable") if lines else f"the process {ended} before it was locked down"
        raise SandboxUnavailable(f"generated code cannot be run safely here: {fault}; leave code unscored")
    return Evaluated(tuple(lines[1 : 1 + len(expressions)]), ended)


def _rlimits(limits: SandboxLimits) -> dict[str, int]:
    return {
        "RLIMIT_CPU": limits.cpu_s,
        "RLIMIT_AS": limits.memory_bytes,
        "RLIMIT_FSIZE": limits.output_bytes,
        "RLIMIT_CORE": 0,
        "RLIMIT_NPROC": 0,
    }


def _run(asked: IO[bytes], answered: IO[bytes], folder: str, limits: SandboxLimits) -> str:
    """How the process ended; it is gone, with its whole process group, when this returns or raises."""
    process = subprocess.Popen(  # noqa: S603  # the interpreter that runs this, and a file of this package
        [sys.executable, "-I", "-S", "-B", str(CHILD)],
        stdin=asked,
        stdout=answered,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        env={},
        start_new_session=True,
    )
    try:
        status = process.wait(limits.wall_s)
    except subprocess.TimeoutExpired:
        return f"was stopped after {limits.wall_s:g} s"
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if status in {-signal.SIGXCPU, -signal.SIGKILL}:
        return f"was stopped after {limits.cpu_s} s of processor time"
    return "finished" if status == 0 else f"died ({_cause(status)})"


def _cause(status: int) -> str:
    return signal.Signals(-status).name if status < 0 else f"exit status {status}"


def _lines(written: bytes) -> list[Mapping[str, Any]]:
    """The result lines that can be read; the first that cannot ends them."""
    lines: list[Mapping[str, Any]] = []
    for line in written.split(b"\n")[:-1]:
        try:
            parsed = json.loads(line)
        except (ValueError, RecursionError):
            break
        if not isinstance(parsed, dict):
            break
        lines.append(parsed)
    return lines
