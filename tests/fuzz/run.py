"""Fuzz a target, guided by what its code does with each input: python tests/fuzz/run.py TARGET [OPTION ...]

Needs `atheris` (pip install atheris; not among the dependencies, since it has wheels for few platforms). Options
are libFuzzer's: ``-max_total_time=300`` seconds, ``-max_len=4096`` bytes, a folder where found inputs are kept (a new
one if none is named), a file to try that input alone. Sound inputs are put into the folder first, to be changed.
``make test`` does not run this; `tests/test_bad_input.py` runs the same targets with inputs of hypothesis.
"""

import faulthandler
import sys
import tempfile
from pathlib import Path

import atheris  # type: ignore[import-untyped,import-not-found,unused-ignore]  # installed by those who fuzz

sys.path.insert(0, str(Path(__file__).parents[2]))
with atheris.instrument_imports(include=["multillm"]):
    from tests.fuzz.targets import TARGETS
from tests.fuzz.seeds import plant


def main() -> None:
    """Fuzz the target that is named."""
    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        sys.exit(f"usage: python tests/fuzz/run.py {'|'.join(TARGETS)} [libFuzzer's options]")
    name = sys.argv.pop(1)
    places = [word for word in sys.argv[1:] if not word.startswith("-")] or [tempfile.mkdtemp(prefix="multillm-fuzz-")]
    if not Path(places[0]).is_file():
        plant(name, Path(places[0]))
    faulthandler.enable()  # before libFuzzer's handler, which tells of a signal but not of where it struck
    atheris.Setup([sys.argv[0], *(word for word in sys.argv[1:] if word not in places), *places], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
