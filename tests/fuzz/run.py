"""Fuzz a target, guided by what its code does with each input: python tests/fuzz/run.py TARGET [OPTION ...]

Needs `atheris` (pip install atheris; not among the dependencies, since it has wheels for few platforms). Options
are libFuzzer's: ``-max_total_time=300`` seconds, ``-max_len=4096`` bytes, a folder where found inputs are kept.
``make test`` does not run this; `tests/test_bad_input.py` runs the same targets with inputs of hypothesis.
"""

import sys
from pathlib import Path

import atheris  # type: ignore[import-untyped,import-not-found,unused-ignore]  # installed by those who fuzz

sys.path.insert(0, str(Path(__file__).parents[2]))
with atheris.instrument_imports(include=["multillm"]):
    from tests.fuzz.targets import TARGETS


def main() -> None:
    """Fuzz the target that is named."""
    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        sys.exit(f"usage: python tests/fuzz/run.py {'|'.join(TARGETS)} [libFuzzer's options]")
    target = TARGETS[sys.argv.pop(1)]
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
