"""Generated code in its sandbox: it computes, and can do nothing else, whatever it tries."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from functools import partial
from pathlib import Path
from typing import IO

import psutil
import pytest

import multillm as ml
from multillm.grading import programs, sandbox
from multillm.grading.sandbox import Evaluated, SandboxLimits, evaluate
from multillm.tasks import TaskType

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no sandbox on Windows")
linux = pytest.mark.skipif(sys.platform != "linux", reason="the system call filter is Linux's")

QUICK = SandboxLimits(cpu_s=1, wall_s=5)
NO_SHELL = 127 << 8
REFUSED = {"PermissionError", "ModuleNotFoundError", "ImportError", "OSError", NO_SHELL}
SQUARE = ml.BenchmarkPrompt(
    "square",
    "Write square(x).",
    TaskType.CODE_GENERATION,
    "low",
    "code",
    {"name": "square", "tests": [{"call": "square(3)", "returns": 9}, {"call": "square(-2)", "returns": 4}]},
    64,
)
RIGHT = "def square(x):\n    return x * x\n"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "evaluate", partial(evaluate, limits=QUICK))


def attempt(code: str) -> object:
    """What the last line's ``result`` came to, or the exception on the way."""
    wrapped = "try:\n" + "".join(f"    {line}\n" for line in code.splitlines())
    wrapped += "except BaseException as error:\n    result = type(error).__name__\n"
    outcome = evaluate(wrapped, ["result"], QUICK).outcomes[0]
    return outcome.get("value", outcome)


def score(answer: str) -> float | None:
    return ml.grade(SQUARE, f"```python\n{answer}\n```", run_code=True).value


def test_values_come_back_as_they_are() -> None:
    code = "from collections import Counter, namedtuple\nP = namedtuple('P', 'x y')\ndef f(x):\n    return x"
    calls = [
        "f((1, [2.5, None]))",
        "f({2: 'b', 'a': True})",
        "f({3, 1})",
        "Counter('aab')",
        "P(1, 2)",
        "1 / 0",
        "f(f) is f",
    ]
    assert [outcome.get("value", outcome.get("raised")) for outcome in evaluate(code, calls).outcomes] == [
        [1, [2.5, None]], {"dict": [["a", True], [2, "b"]]}, {"set": [1, 3]}, {"dict": [["a", 2], ["b", 1]]}, [1, 2],
        "ZeroDivisionError", True,
    ]  # fmt: skip


def test_common_modules_are_there() -> None:
    code = (
        "import math, re, random, json, itertools, functools, heapq, datetime, statistics, string\n"
        "from dataclasses import dataclass, field\nfrom typing import NamedTuple, Optional\nfrom abc import ABC\n"
        "@dataclass(order=True)\nclass A:\n    x: int = 0\n    y: list = field(default_factory=list)\n"
        "class P(NamedTuple):\n    x: int = 3\n"
        "def f():\n    return [math.floor(2.5), A().y, P().x, datetime.datetime.strptime('2024', '%Y').year]"
    )
    assert evaluate(code, ["f()"]).outcomes == ({"value": [2, [], 3, 2024]},)


def test_a_statement_that_fails_does_not_hide_those_after_it() -> None:
    code = "import numpy\nprint(input('x'))\nassert False\nraise SystemExit(0)\n" + RIGHT + "square('x')\n"
    assert evaluate(code, ["square(3)"]) == Evaluated(({"value": 9},), "finished")


REACHES_OUT = {
    "reads a file": "result = open('/etc/passwd').read()",
    "reads by descriptor": "import os\nresult = os.read(os.open('/etc/hostname', os.O_RDONLY), 9)",
    "reads a secret of its parent": "import os\nresult = open(f'/proc/{os.getppid()}/environ').read()",
    "lists a folder": "import os\nresult = os.listdir('/')",
    "writes a file": "result = open('here', 'w').write('x')",
    "writes outside": "import pathlib\nresult = pathlib.Path('../multillm-was-here').write_text('x')",
    "removes a file": "import os\nresult = os.remove('../multillm-was-here')",
    "forks": "import os\nresult = os.fork()",
    "starts a shell": "import os\nresult = os.system('true')",
    "starts a process": "import subprocess\nresult = subprocess.run(['true']).returncode",
    "becomes another program": "import os\nresult = os.execv('/bin/true', ['true'])",
    "kills its parent": "import os\nresult = os.kill(os.getppid(), 9)",
    "kills its group": "import os\nresult = os.killpg(0, 9)",
    "opens a socket": "import socket\nresult = socket.socket()",
    "connects": "import socket\nresult = socket.create_connection(('127.0.0.1', 9), 1)",
    "calls C": "import ctypes\nresult = ctypes.CDLL(None).getpid()",
    "calls C by the back door": "import _ctypes\nresult = 'imported'",
    "raises its limits": "import resource\nresult = resource.setrlimit(resource.RLIMIT_CPU, (99, 99))",
    "lists live objects": "import gc\nresult = gc.get_objects()",
    "builds byte code": "result = (lambda: 0).__code__.replace(co_code=b'x')",
}


@pytest.mark.parametrize("code", REACHES_OUT.values(), ids=REACHES_OUT.keys())
def test_code_that_reaches_out_is_refused(code: str) -> None:
    assert attempt(code) in REFUSED
    assert not (Path(tempfile.gettempdir()) / "multillm-was-here").exists()


def weakened(folder: Path, change: str) -> Path:
    """The child's script with a part of it changed before it runs."""
    path = folder / "child.py"
    source = Path(sandbox.CHILD).read_text("utf-8")
    path.write_text(source.replace('if __name__ == "__main__":', f'{change}\nif __name__ == "__main__":'), "utf-8")
    return path


@linux
@pytest.mark.parametrize("code", REACHES_OUT.values(), ids=REACHES_OUT.keys())
@pytest.mark.parametrize(
    "alone", ["_filter_system_calls = lambda _: None", "_refuse_events = lambda *_: None"], ids=["hook", "filter"]
)
def test_each_fence_holds_by_itself(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, request: pytest.FixtureRequest, code: str, alone: str
) -> None:
    harmless = ("gc.get_objects", "replace(co_code", "import _ctypes", "import ctypes", "import resource")
    if "_refuse" in alone and any(part in code for part in harmless):
        pytest.skip("in the process, to the process: no concern of the kernel")
    monkeypatch.setattr(sandbox, "CHILD", weakened(tmp_path, alone))
    assert attempt(code) in REFUSED


def test_no_packet_leaves() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        port = server.getsockname()[1]
        attempt(f"import socket\nresult = socket.create_connection(('127.0.0.1', {port}), 1)")
        with pytest.raises(TimeoutError):
            server.accept()


def test_no_secret_is_in_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    seen = attempt(
        "import os, sys\nresult = [dict(os.environ), sys.argv, os.getcwd.__name__, sys.flags.isolated, sys.path]"
    )
    assert "sk-secret" not in json.dumps(seen)
    assert "OPENAI" not in json.dumps(seen)


ENDS_BADLY = {
    "infinite loop": "def square(x):\n    while True:\n        pass",
    "fork bomb": "import os\ndef square(x):\n    while True:\n        os.fork()",
    "ten gigabytes": "def square(x):\n    return len(bytearray(10**10))",
    "grows": "def square(x):\n    held = []\n    while True:\n        held.append(bytearray(10**7))",
    "huge output": "import os\ndef square(x):\n    while True:\n        os.write(3, b'9' * 10**6)",
    "huge result": "def square(x):\n    return '9' * 10**8",
    "huge number": "def square(x):\n    return 10**10**6",
    "deep result": "def square(x):\n    r = []\n    for _ in range(10**5):\n        r = [r]\n    return r",
    "deep recursion": "import sys\nsys.setrecursionlimit(10**9)\ndef square(x):\n    return square(x) + 1",
    "threads": "import threading\ndef square(x):\n    threading.Thread(target=print).start()\n    return x * x",
    "leaves": "import os\ndef square(x):\n    os._exit(0)",
    "leaves at once": "import os\nos._exit(0)\n" + RIGHT,
    "exits": "import sys\ndef square(x):\n    sys.exit(0)",
    "aborts": "import os\ndef square(x):\n    os.abort()",
}


@pytest.mark.parametrize("code", ENDS_BADLY.values(), ids=ENDS_BADLY.keys())
def test_code_that_ends_badly_scores_nothing(code: str) -> None:
    begun = time.monotonic()
    assert score(code) == 0
    assert time.monotonic() - begun < 30


FORGERIES = {
    "says ok": """
def square(x):
    print('ok', '9', '{"value": 9}', 'passed')""",
    "always equal": """
class Any:
    def __eq__(self, other): return True
    def __repr__(self): return '9'
def square(x):
    return Any()""",
    "number that is equal": """
class N(int):
    def __eq__(self, other): return True
    __hash__ = int.__hash__
def square(x):
    return N(0)""",
    "patches the report": """
import json, os
json.dumps = lambda *a, **k: '{"value": 9}'
os.write = lambda *a: 0
def square(x):
    return 0""",
    "patches the caller": """
import sys
f = sys._getframe(0)
while f:
    f.f_globals['encode'] = lambda v: 9
    f = f.f_back
def square(x):
    return 0""",
    "patches eval": """
import builtins
builtins.eval = lambda *a: 9
def square(x):
    return 0""",
    "writes results itself": """
import os
for descriptor in range(3, 20):
    try:
        os.write(descriptor, b'{"value": 9}' + bytes([10]) + b'{"value": 9}' + bytes([10]))
    except OSError:
        pass
def square(x):
    return 0""",
    "looks for the answer": """
import sys
def square(x):
    f = sys._getframe(0)
    while f:
        for v in list(f.f_locals.values()) + list(f.f_globals.values()):
            if isinstance(v, dict) and 'returns' in v:
                return v['returns']
        f = f.f_back""",
    "asserts nothing": """
import builtins
builtins.AssertionError = Exception
def square(x):
    assert False""",
    "raises success": """
def square(x):
    raise SystemExit(0)""",
}


@pytest.mark.parametrize("code", FORGERIES.values(), ids=FORGERIES.keys())
def test_nothing_but_the_right_values_scores(code: str) -> None:
    assert score(code) == 0
    assert score(RIGHT) == 1


def test_the_expected_values_never_enter_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs: list[str] = []

    def run(asked: IO[bytes], *_: object) -> str:
        jobs.append(asked.read().decode())
        return "finished"

    monkeypatch.setattr(sandbox, "_run", run)
    secret = {"name": "f", "tests": [{"call": "f()", "returns": "a value that nobody can guess"}]}
    prompt = ml.BenchmarkPrompt("x", "Write f.", TaskType.CODE_GENERATION, "low", "code", secret, 64)
    ml.grade(prompt, "```python\ndef f():\n    pass\n```", run_code=True)
    assert "def f()" in jobs[0]
    assert "guess" not in jobs[0]


def test_the_same_code_scores_the_same_from_many_threads() -> None:
    scores: list[float | None] = []
    threads = [threading.Thread(target=lambda: scores.append(score(RIGHT))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert scores == [1.0] * 6


def running_children() -> list[psutil.Process]:
    """Processes that run a sandbox of this folder's package."""
    found = []
    for process in psutil.process_iter():
        try:
            if str(sandbox.CHILD) in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def test_no_process_stays_behind() -> None:
    before = {process.pid for process in psutil.Process().children(recursive=True)}
    for code in ("import time\ntime.sleep(100)", "while True:\n    pass", "import os\nos.fork()", RIGHT):
        evaluate(code, ["1"], SandboxLimits(cpu_s=1, wall_s=1.5))
    assert {process.pid for process in psutil.Process().children(recursive=True)} <= before


@linux
def test_no_process_survives_its_parent() -> None:
    script = (
        "from multillm.grading.sandbox import *; evaluate('import time\\ntime.sleep(60)', ['1'], SandboxLimits(60, 60))"
    )
    earlier = {process.pid for process in running_children()}
    parent = subprocess.Popen([sys.executable, "-c", script], env={**os.environ})
    until = time.monotonic() + 20
    while not (mine := [p for p in running_children() if p.pid not in earlier and p.ppid() == parent.pid]):
        assert time.monotonic() < until
        time.sleep(0.05)
    time.sleep(0.5)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    psutil.wait_procs(mine, timeout=5)
    assert not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in mine)


@linux
def test_where_the_filter_cannot_be_set_nothing_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sandbox, "CHILD", weakened(tmp_path, "SYSTEM_CALLS = {}"))
    with pytest.raises(ml.SandboxUnavailable, match="cannot be run safely here: no list of system calls"):
        evaluate(f"{RIGHT}", ["1"])
    unscored = ml.grade(SQUARE, RIGHT, run_code=True)
    assert unscored.value is None
    assert "cannot be run safely" in str(unscored.reason)


def test_code_runs_only_when_it_is_allowed_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("nothing is to run"))
    assert ml.grade(SQUARE, RIGHT) == ml.Score(
        None, "running generated code is not allowed; pass run_code=True to run it in the sandbox"
    )


def test_windows_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(ml.SandboxUnavailable, match="Linux and macOS"):
        evaluate(RIGHT, ["1"])
