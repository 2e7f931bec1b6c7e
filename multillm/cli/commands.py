"""The commands, and how their errors end."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from multillm.cli.bench import bench_command
from multillm.cli.gateway import export_app, serve_command
from multillm.cli.options import BackendOption, CostOption, DeadlineOption, PoolOption, TokensOption, limited
from multillm.cli.research import evaluate_command, reproduce_command, tune_command
from multillm.errors import BackendError, InputError, MultillmError

if TYPE_CHECKING:
    from rich.console import Console

    from multillm.orchestration.orchestrator import Orchestrator
    from multillm.orchestration.results import RunResult

app = typer.Typer(
    name="multillm",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Routes the parts of a prompt to the cheapest model that is good enough.",
    epilog="Exit codes: 0 every sub-task answered; 1 a sub-task failed, an answer was lost or a run is not reproduced; "
    "2 wrong usage; 3 the prompt, pool, data, setting or store is not valid; "
    "4 nothing is there to run the models; 130 interrupted.",
)

REFERENCE_PROMPT = (
    "Write the API reference documentation for our REST /users endpoints "
    "AND implement the OAuth2 Bearer-token middleware in Python FastAPI."
)
SUB_TASK_FAILED, NOT_VALID, NO_BACKEND, INTERRUPTED = 1, 3, 4, 130

PromptArgument = Annotated[str | None, typer.Argument(help="The prompt; - or nothing reads it from standard input.")]
FileOption = Annotated[Path | None, typer.Option("--file", "-f", help="Read the prompt from this file.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]


def main() -> None:
    """Run the command line and turn errors into one line and an exit code."""
    try:
        app()
    except MultillmError as error:
        from multillm.terminal import printable

        print(f"multillm: {printable(str(error))}", file=sys.stderr)  # noqa: T201  # the last word of a command
        sys.exit(NO_BACKEND if isinstance(error, BackendError) else NOT_VALID)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


@app.command()
def demo(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", envvar="DRY_RUN", help="Stop before any model is called.")
    ] = False,
    pool: PoolOption = "demo",
    backend: BackendOption = "auto",
) -> None:
    """Run the reference scenario from prompt to merged answer."""
    from multillm import terminal
    from multillm.backends import look
    from multillm.orchestration.orchestrator import Orchestrator

    out = terminal.console()
    orchestrator = Orchestrator(pool, backend)
    status = asyncio.run(look(backend, orchestrator.pool))
    decisions = orchestrator.plan(REFERENCE_PROMPT)
    out.print(terminal.mapping_table(orchestrator.pool, status), status.summary, sep="\n", markup=False)
    out.print(f"\nPrompt: {REFERENCE_PROMPT}\n", markup=False)
    out.print(terminal.subtask_table(decisions), terminal.decision_tables(decisions), sep="\n")
    if dry_run:
        out.print("Dry run: no model was called.")
        return
    result = _execute(orchestrator, REFERENCE_PROMPT, out)
    out.print(terminal.routing_table(result))
    out.print(f"Wall clock: {result.total_ms / 1000:.2f} s on {result.backend}\n", markup=False)
    out.print(terminal.merged_text(result))
    if orchestrator.store is not None:
        out.print(f"\n{orchestrator.store.summary()}", markup=False)
    _exit_for(result)


@app.command()
def route(
    prompt: PromptArgument = None, file: FileOption = None, pool: PoolOption = "default", as_json: JsonOption = False
) -> None:
    """Show what would be called for a prompt, and why, without calling it."""
    from multillm import terminal
    from multillm.orchestration.orchestrator import Orchestrator

    decisions = Orchestrator(pool, store=None).plan(_read_prompt(prompt, file))
    if as_json:
        typer.echo(json.dumps([decision.to_dict() for decision in decisions], indent=2))
    else:
        terminal.console().print(terminal.subtask_table(decisions), terminal.decision_tables(decisions), sep="\n")


@app.command()
def run(
    prompt: PromptArgument = None,
    file: FileOption = None,
    pool: PoolOption = "default",
    backend: BackendOption = "auto",
    *,
    deadline: DeadlineOption = None,
    max_cost: CostOption = None,
    max_tokens: TokensOption = None,
    as_json: JsonOption = False,
) -> None:
    """Answer a prompt: the merged document goes to standard output, all else to standard error."""
    from multillm import terminal
    from multillm.orchestration.orchestrator import Orchestrator

    beside = terminal.console(stderr=True)
    orchestrator = Orchestrator(pool, backend)
    orchestrator.limits = limited(orchestrator.limits, deadline, max_cost, max_tokens)
    result = _execute(orchestrator, _read_prompt(prompt, file), beside)
    if as_json:
        typer.echo(json.dumps(result.to_dict(), indent=2))
    else:
        beside.print(terminal.routing_table(result))
        typer.echo(_for_stdout(terminal.printable(result.merged)))
    _exit_for(result)


app.command("evaluate")(evaluate_command)
app.command("tune")(tune_command)
app.command("bench")(bench_command)
app.command("reproduce")(reproduce_command)
app.command("serve")(serve_command)
app.add_typer(export_app)


@app.command()
def doctor(pool: PoolOption = "default") -> None:
    """Say what is installed, reachable, pulled and missing, and what would be used."""
    from multillm import terminal
    from multillm.cli import doctor as checks

    if not checks.report(terminal.console(), pool):
        raise typer.Exit(NO_BACKEND)


@app.command()
def setup() -> None:
    """Put the embedded model in place: one download of about 93 MB, checked by its hash."""
    from multillm.backends.embedded import install_model

    typer.echo(f"The embedded model is in place: {install_model()}")


def _read_prompt(prompt: str | None, file: Path | None) -> str:
    """The prompt from the argument, the file or standard input."""
    if file is None:
        return sys.stdin.read() if prompt in {None, "-"} else str(prompt)
    if prompt is not None:
        raise typer.BadParameter("give the prompt or --file, not both")
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file} cannot be read as UTF-8 text: {error}") from None


def _for_stdout(text: str) -> bytes:
    """The text as standard output takes it, which no character may break."""
    return text.encode(sys.stdout.encoding or "utf-8", "replace")


def _execute(orchestrator: Orchestrator, prompt: str, console: Console) -> RunResult:
    """Run the prompt while its progress is shown."""
    from multillm.progress import RunProgress

    return asyncio.run(RunProgress(console).follow(orchestrator.stream(prompt)))


def _exit_for(result: RunResult) -> None:
    if result.failed:
        raise typer.Exit(SUB_TASK_FAILED)
