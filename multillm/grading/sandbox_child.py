"""Runs untrusted Python code inside a process that has locked itself down first.

`multillm.grading.sandbox` starts this file as a script; it imports nothing but the standard library. Order matters:
read the job, import what answers commonly need, set limits, forbid, and only then run a line of the answer. Nothing
that the answer is held against ever enters this process.
"""

# ruff: noqa: S102, S307, BLE001  (running what it is given is this file's purpose)

from __future__ import annotations

import ast
import io
import json
import os
import resource
import sys
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

PRELOADED = """
    abc array base64 bisect calendar cmath collections collections.abc contextlib copy dataclasses
    datetime decimal difflib enum fractions functools hashlib heapq html inspect io itertools json keyword math
    numbers operator os os.path pathlib pprint queue random re secrets statistics string struct sys tempfile
    textwrap time timeit traceback types typing unicodedata warnings zlib _strptime
    encodings.ascii encodings.latin_1 encodings.utf_16 encodings.unicode_escape
""".split()  # noqa: SIM905
"""Modules that an answer may import. No other can be loaded, since no file can be opened."""
ALLOWED_EVENTS = frozenset(
    ("compile", "exec", "builtins.id", "builtins.input", "builtins.input/result", "sys._getframe", "time.sleep",
     "sys._getframemodulename", "object.__getattr__", "object.__setattr__", "object.__delattr__", "array.__new__",
     "sys.unraisablehook", "sys.excepthook")
)  # fmt: skip
REFUSED_ATTRIBUTES = frozenset(
    {
        ("object.__setattr__", "__code__"),
        *(("object.__getattr__", f"{kind}_frame") for kind in ("tb", "gi", "cr", "ag")),
    }
)
"""By these, code could reach what the audit hook goes by."""
# Read, write, memory, signals, clocks, random bytes, exit: no file, socket, process or signal to another process.
SYSTEM_CALLS = {
    "x86_64": (0xC000003E, (0, 1, 3, 9, 10, 11, 12, 13, 14, 15, 24, 25, 28, 35, 39, 60, 96, 131, 201, 202, 219, 228,
                            230, 231, 318)),
    "aarch64": (0xC00000B7, (57, 63, 64, 93, 94, 98, 101, 113, 115, 124, 128, 132, 134, 135, 139, 169, 172, 214, 215,
                             216, 222, 226, 233, 278)),
}  # fmt: skip
PR_SET_PDEATHSIG, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 1, 22, 38
SIGKILL = 9
MOST_DEPTH = 50


def main() -> None:
    """Read a job from standard input, write a line of JSON for each expression to standard output."""
    job = json.load(sys.stdin)
    report = _channel()
    for name in PRELOADED:
        __import__(name)
    _limit(job["limits"])
    if fault := _forbid(job["parent"]):
        report({"unavailable": fault})
        return
    report({"ready": True})
    namespace = _run(job["code"])
    for expression in job["expressions"]:
        report(_outcome(expression, namespace))


def _channel() -> Callable[[Mapping[str, Any]], None]:
    """Writer of result lines; the answer's own input, output and errors lead nowhere."""
    results = os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    sys.stdin = io.StringIO()
    write, dumps = os.write, json.dumps

    def report(line: Mapping[str, Any]) -> None:
        write(results, dumps(line).encode() + b"\n")

    return report


def _limit(limits: Mapping[str, int]) -> None:
    """Limits that the kernel holds; hard ones, so that they cannot be raised again."""
    for name, most in limits.items():
        number = getattr(resource, name, None)
        if number is not None:
            hard = resource.getrlimit(number)[1]
            kept = most if hard == resource.RLIM_INFINITY else min(most, hard)
            try:
                resource.setrlimit(number, (kept, kept))
            except (OSError, ValueError):  # macOS does not know every limit
                if sys.platform == "linux":
                    raise


def _forbid(parent: int) -> str | None:
    """Let the kernel, then the interpreter, refuse everything but computing; returns why it cannot."""
    fault = _filter_system_calls(parent) if sys.platform == "linux" else None
    for name in [name for name in sys.modules if name.partition(".")[0] in {"ctypes", "_ctypes", "resource"}]:
        del sys.modules[name]
    if fault is None:
        _refuse_events(ALLOWED_EVENTS, REFUSED_ATTRIBUTES)
    return fault


def _refuse_events(events: frozenset[str], attributes: frozenset[tuple[str, str]]) -> None:
    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in events or (event, *arguments[1:2]) in attributes:
            raise PermissionError(f"{event} is not allowed in the sandbox")

    sys.addaudithook(hook)


def _filter_system_calls(parent: int) -> str | None:
    """Seccomp filter: the listed system calls go through, any other fails with EPERM."""
    import ctypes

    machine = os.uname().machine
    if machine not in SYSTEM_CALLS or sys.maxsize < 2**32:
        return f"no list of system calls for {machine} at {8 * ctypes.sizeof(ctypes.c_void_p)} bits"
    program = _program(*SYSTEM_CALLS[machine])
    code = ctypes.create_string_buffer(program, len(program))

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))

    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl.argtypes = [ctypes.c_int, *4 * (ctypes.c_ulong,)]
    libc.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
    filtered = ctypes.addressof(Program(len(program) // 8, ctypes.addressof(code)))
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(PR_SET_SECCOMP, 2, filtered, 0, 0):
        return f"the kernel refused the system call filter: {os.strerror(ctypes.get_errno())}"
    return None


def _program(architecture: int, calls: Sequence[int]) -> bytes:
    """Classic BPF for seccomp: kill on another architecture, allow the calls, EPERM for the rest."""
    load, equal, give = 0x20, 0x15, 0x06
    allow, refuse, kill = 0x7FFF0000, 0x00050001, 0x80000000
    steps: list[tuple[int, int, int, int]] = [(load, 0, 0, 4), (equal, 1, 0, architecture), (give, 0, 0, kill)]
    steps.append((load, 0, 0, 0))
    for position, number in enumerate(calls):
        steps.append((equal, len(calls) - position, 0, number))
    steps += [(give, 0, 0, refuse), (give, 0, 0, allow)]
    import struct

    return b"".join(struct.pack("HBBI", *step) for step in steps)


def _run(code: str) -> dict[str, Any]:
    """Names that the code defines. A statement that fails does not keep those after it from running."""
    module = types.ModuleType("answer")
    sys.modules["answer"] = sys.modules["__main__"] = module
    namespace = module.__dict__
    try:
        statements = ast.parse(code).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return namespace
    for statement in statements:
        try:
            exec(compile(ast.Module([statement], []), "<answer>", "exec", dont_inherit=True), namespace)
        except BaseException:  # noqa: S112  # SystemExit included
            continue
    return namespace


def _outcome(expression: str, namespace: dict[str, Any]) -> Mapping[str, Any]:
    try:
        return {"value": encode(eval(expression, namespace))}
    except BaseException as error:
        return {"raised": type(error).__name__}


def encode(value: Any, depth: int = 0) -> Any:
    """A value as JSON: tuples as lists, mappings and sets tagged and sorted, anything else by its repr."""
    if depth > MOST_DEPTH:
        raise ValueError("nested too deep")
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [encode(item, depth + 1) for item in value]
    if isinstance(value, Mapping):
        return {"dict": _sorted([encode(key, depth + 1), encode(item, depth + 1)] for key, item in value.items())}
    if isinstance(value, (set, frozenset)):
        return {"set": _sorted(encode(item, depth + 1) for item in value)}
    return {"repr": repr(value)[:1000]}


def _sorted(items: Iterable[Any]) -> list[Any]:
    return sorted(items, key=lambda item: json.dumps(item, sort_keys=True))


if __name__ == "__main__":
    main()
    os._exit(0)
