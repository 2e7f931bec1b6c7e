"""Time, cost and tokens: nothing goes beyond its limit, and what is there is returned."""

import asyncio
import math
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from sqlalchemy import text

import multillm as ml
from multillm.budget import Budget, Overspent, Spending
from multillm.feedback.period import PIECES
from multillm.feedback.shared_budget import HELD_S, SharedBudget
from multillm.testing import Fault, FaultServer, Script
from tests.contracts import ask
from tests.pools import small_pool
from tests.scripted import ScriptedBackend, echo
from tests.stores import SERVED, another_connection, execute

TWO = "Explain what a mutex is AND implement a spinlock in C."


@pytest.fixture
def store(tmp_path: Path) -> ml.FeedbackStore:
    return ml.FeedbackStore(tmp_path / "feedback.sqlite")


def limited(backend: ml.Backend, store: ml.FeedbackStore | None, **limits: float) -> ml.Orchestrator:
    """An orchestrator for which an explanation is documentation, whatever the learned classifier makes of it."""
    return ml.Orchestrator(
        backend=backend, store=store, limits=ml.Limits.model_validate(limits), classifier="reference"
    )


calls_made = st.lists(
    st.tuples(
        st.integers(0, 60), st.floats(0, 1), st.integers(0, 3), st.booleans()
    ),  # most tokens, share of them taken, rounds it lasts, whether it fails
    min_size=1,
    max_size=30,
)


@settings(deadline=None)
@given(limit=st.integers(0, 100), calls=calls_made)
async def test_a_budget_is_never_overspent_and_nobody_waits_for_ever(
    limit: int, calls: list[tuple[int, float, int, bool]]
) -> None:
    budget = Budget(limit / 10, limit)
    taken = refused = 0

    async def call(most: int, part: float, rounds: int, fails: bool) -> None:
        nonlocal taken, refused
        try:
            async with budget.reserve(Spending(most / 10, most)) as reservation:
                for _ in range(rounds):
                    await asyncio.sleep(0)
                if fails:
                    raise ml.CompletionTimeout("no answer", label="light")
                took = math.floor(most * part)
                taken += took
                reservation.settle(Spending(took / 10, took))
        except Overspent:
            refused += 1
            assert taken + most > limit
        except ml.CompletionTimeout:
            pass

    async with asyncio.timeout(10):
        await asyncio.gather(*(call(*each) for each in calls))
    assert taken <= limit
    assert budget.spent.tokens == taken
    assert budget.spent.cost_units == pytest.approx(taken / 10)
    assert budget.left()[1] == limit - taken


async def test_a_call_waits_for_what_those_under_way_may_give_back() -> None:
    budget = Budget(None, 10)
    order: list[str] = []

    async def call(name: str, took: int) -> None:
        async with budget.reserve(Spending(0.0, 8)) as reservation:
            order.append(f"{name} begins")
            await asyncio.sleep(0.02)
            reservation.settle(Spending(0.0, took))
            order.append(f"{name} ends")

    await asyncio.gather(call("a", 1), call("b", 1))
    assert order == ["a begins", "a ends", "b begins", "b ends"]


async def test_a_cancelled_wait_leaves_the_budget_as_it_was() -> None:
    budget = Budget(None, 10)
    async with budget.reserve(Spending(0.0, 10)):
        waiting = asyncio.create_task(budget.reserve(Spending(0.0, 10)).__aenter__())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert budget.left()[1] == 10


async def test_a_run_stops_before_its_token_budget_is_overspent_and_returns_what_it_has(
    store: ml.FeedbackStore,
) -> None:
    most = 64 + len(b"Explain what a mutex is") // 3 + 1024
    result = await limited(ScriptedBackend(echo), store, run_tokens=most).handle(TWO)
    answered, refused = result.results
    assert answered.status == "ok"
    assert isinstance(refused.error, ml.BudgetExceeded)
    assert "the run's budget has" in str(refused.error)
    assert "limits.run_tokens" in str(refused.error)
    assert result.partial
    assert "**Not answered.**" in result.merged
    assert sorted(store.frame()["error_type"].fillna("none")) == ["BudgetExceeded", "none"]
    assert store.frame()["attempts"].min() == 0


async def test_a_cost_budget_reckons_with_the_dearest_model_that_may_serve(store: ml.FeedbackStore) -> None:
    dearest = max(spec.cost_per_1k for spec in ml.load_pool().registry)
    backend = ScriptedBackend(echo)
    short = await limited(backend, store, run_cost_units=dearest * 1.024 - 1e-6).handle("Explain what a mutex is.")
    enough = await limited(backend, store, run_cost_units=dearest * 1.024).handle("Explain what a mutex is.")
    assert isinstance(short.results[0].error, ml.BudgetExceeded)
    assert enough.results[0].status == "ok"
    assert len(backend.requests) == 1


async def test_a_period_counts_every_run_and_forgets_what_is_past(tmp_path: Path) -> None:
    now = [datetime(2026, 1, 1, tzinfo=UTC)]
    store = ml.FeedbackStore(tmp_path / "feedback.sqlite", clock=lambda: now[0])
    seconds = [0.0]
    backend = ScriptedBackend(echo)

    def orchestrator() -> ml.Orchestrator:
        limits = ml.Limits(period_s=3600, period_tokens=1024 + 64 + 20)
        return ml.Orchestrator(
            backend=backend, store=store, limits=limits, classifier="reference", clock=lambda: seconds[0]
        )

    first = orchestrator()
    results = [await first.handle("Explain what a mutex is.") for _ in range(3)]
    assert [r.results[0].status for r in results] == ["ok", "failed", "failed"]
    assert "the period's budget has" in str(results[1].results[0].error)
    assert (await orchestrator().handle("Explain what a mutex is.")).failed
    now[0] += timedelta(seconds=3601)
    seconds[0] += 3601
    assert not (await first.handle("Explain what a mutex is.")).failed
    cost_units, tokens = store.spent(60)
    assert cost_units == pytest.approx(0.01)
    assert tokens == 15


async def test_a_period_holds_over_orchestrators_that_share_a_file(tmp_path: Path) -> None:
    backend = ScriptedBackend(lambda _: (0.2, "done"))
    sharing = [
        limited(backend, ml.FeedbackStore(tmp_path / "feedback.sqlite"), period_tokens=1024 + 64 + 20) for _ in range(2)
    ]
    results = await asyncio.gather(*(each.handle("Explain what a mutex is.") for each in sharing))
    assert sorted(result.results[0].status for result in results) == ["failed", "ok"]
    assert backend.most_running == 1


def test_a_period_needs_a_store() -> None:
    with pytest.raises(ml.ConfigurationError, match="give a feedback store"):
        limited(ScriptedBackend(echo), None, period_tokens=10)


async def test_a_deadline_returns_what_is_answered_by_then(store: ml.FeedbackStore) -> None:
    """A client that knows no limits is held to them too."""
    backend = ScriptedBackend(lambda request: (0.0 if "mutex" in str(request.messages) else 30.0, "done"))
    loop = asyncio.get_running_loop()
    started = loop.time()
    result = await limited(backend, store, run_s=0.2).handle(TWO)
    assert loop.time() - started < 2.0
    answered, late = result.results
    assert answered.status == "ok"
    assert isinstance(late.error, ml.DeadlineExceeded)
    assert "limits.run_s = 0.2 s" in str(late.error)
    assert result.partial
    assert sorted(store.frame()["error_type"].fillna("none")) == ["DeadlineExceeded", "none"]
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_what_waits_for_a_late_sub_task_is_not_begun(store: ml.FeedbackStore) -> None:
    backend = ScriptedBackend(lambda _: (30.0, "done"))
    chain = "Write a function that parses dates and then write tests for it."
    result = await limited(backend, store, run_s=0.1).handle(chain)
    assert [type(r.error) for r in result.results] == [ml.DeadlineExceeded, ml.UpstreamFailed]


@pytest.mark.parametrize("faults", [[Fault.HANG] * 9, [Fault.DRIP] * 9, [Fault.ENDLESS] * 9, [Fault.BUSY] * 99])
async def test_a_late_call_tells_what_it_tried(faults: list[Fault]) -> None:
    pool = small_pool("light", calls={"num_retries": 9, "retry_wait_s": 0.1})
    with FaultServer({"light": Script(faults=faults)}) as server:
        client = await ml.OllamaBackend(server.base_url, {}).open(pool)
        with pytest.raises(ml.DeadlineExceeded, match=r"limits\.subtask_s") as caught:
            await client.complete(ask("light", limit_s=0.8))
        await client.aclose()
        assert server.wait_until_unconnected()
    assert caught.value.attempts
    assert {attempt.model for attempt in caught.value.attempts} == {"ollama_chat/light"}
    assert "its 0.8 s were up" in str(caught.value)


async def test_a_model_that_must_be_loaded_first_has_more_time() -> None:
    calls = {"timeout_s": 0.3, "load_timeout_s": 2.0}
    with FaultServer({"light": Script(load_s=0.6)}) as server:
        client = await ml.OllamaBackend(server.base_url, {}).open(small_pool("light", calls=calls))
        loading = await client.complete(ask("light"))
        server.scripts["light"] = Script(prompt_s=0.6)
        with pytest.raises(ml.CompletionTimeout, match=r"within 0\.3 s"):
            await client.complete(ask("light"))
        await client.aclose()
    assert loading.load_s == pytest.approx(0.6)


def test_limits_come_with_the_pool(tmp_path: Path) -> None:
    path = tmp_path / "pool.yaml"
    path.write_text("extends: default\nlimits: {run_s: 30, period_cost_units: 5}\n")
    assert ml.load_pool(path).limits == ml.Limits(run_s=30, period_cost_units=5)
    path.write_text("extends: default\nlimits: {run_s: -1}\n")
    with pytest.raises(ml.ConfigurationError, match=r"limits\.run_s is -1"):
        ml.load_pool(path)


async def test_a_period_s_budget_holds_over_all_who_share_the_database(url: str) -> None:
    stores = [ml.FeedbackStore(url), ml.FeedbackStore(url)]
    budgets = [SharedBudget(store, 3600, 5.0, None) for store in stores]
    refused: list[int] = []

    async def call(number: int) -> None:
        try:
            async with budgets[number % 2].reserve(Spending(1.0, 10)):
                await asyncio.sleep(0.01)
                took = replace(SERVED, cost_units=0.5, input_tokens=3, output_tokens=2)
                await stores[number % 2].arecord(took)
        except Overspent:
            refused.append(number)

    await asyncio.gather(*(call(number) for number in range(16)))
    assert stores[0].spent(3600) == (4.5, 45)  # a tenth call could have cost 1.0
    assert len(refused) == 16 - 9
    assert budgets[0].left()[0] <= 1.0
    for store in stores:
        store.close()


def test_kept_sums_are_those_of_the_rows_whenever_they_are_looked_up(url: str) -> None:
    rng = np.random.default_rng(0)
    now = datetime(2026, 11, 24, tzinfo=UTC)
    most = Spending(1.0, 1)
    with ml.FeedbackStore(url, clock=lambda: now) as store:
        budgets = [SharedBudget(store, period_s, 1e6, 10**9) for period_s in (3600, 3600, 45, 86400)]
        for wait_s in [*rng.exponential(400, 12), 1700, *rng.exponential(9, 5), 5000, 10]:
            reserved = budgets[0]._reserve(most)
            now += timedelta(seconds=wait_s)  # as long as the call takes
            store.record(replace(SERVED, cost_units=rng.random(), input_tokens=3, output_tokens=int(rng.integers(9))))
            assert reserved is not None
            for budget, period_s in zip(budgets, (3600, 3600, 45, 86400), strict=True):
                mine = budget._reserve(most)
                assert mine is not None
                budget._give_back(mine)
                cost_units, tokens = store.spent(period_s)
                held = 1.0 if wait_s < HELD_S else 0.0  # that of the call itself, unless it has expired
                assert budget.left()[0] == pytest.approx(1e6 - cost_units - held, rel=1e-12)
                assert budget.left()[1] == 10**9 - tokens - held
            budgets[0]._give_back(reserved)
        with another_connection(url) as connection:
            kept = connection.execute(text("SELECT count(*) FROM multillm_spending GROUP BY length_s")).scalars().all()
    assert len(kept) == 2  # what lies in a minute may still change, and is not kept
    assert max(kept) <= PIECES


async def test_what_a_dead_process_reserved_is_free_again_after_an_hour(url: str) -> None:
    now = datetime(2026, 11, 24, tzinfo=UTC)
    with ml.FeedbackStore(url, clock=lambda: now) as store:
        budget = SharedBudget(store, 86400, 1.0, None)
        left_behind = await asyncio.to_thread(budget._reserve, Spending(1.0, 1))
        assert left_behind is not None
        assert await asyncio.to_thread(budget._reserve, Spending(1.0, 1)) is None
        now += timedelta(minutes=61)
        assert await asyncio.to_thread(budget._reserve, Spending(1.0, 1)) is not None


@pytest.mark.parametrize("fails", [False, True])
async def test_a_reservation_that_is_cancelled_while_it_is_made_is_given_back(url: str, fails: bool) -> None:
    with ml.FeedbackStore(url) as store:
        budget = SharedBudget(store, 3600, 1.0, None)
        reserve, begun, goes_on = budget._reserve, threading.Event(), threading.Event()

        def slow(most: Spending) -> str | None:
            begun.set()
            assert goes_on.wait(10)
            if fails:
                raise ml.FeedbackError("the database is gone")
            return reserve(most)

        budget._reserve = slow  # type: ignore[method-assign]
        late = asyncio.create_task(budget.reserve(Spending(1.0, 1)).__aenter__())
        assert await asyncio.to_thread(begun.wait, 10)
        for _ in range(2):  # whoever is cancelled again waits all the same
            late.cancel()
            await asyncio.sleep(0.01)
        assert not late.done()
        goes_on.set()
        with pytest.raises(asyncio.CancelledError):
            await late
        assert await asyncio.to_thread(reserve, Spending(1.0, 1)) is not None


async def test_what_cannot_be_given_back_is_told_and_costs_no_answer(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with ml.FeedbackStore(url) as store:
        budget = SharedBudget(store, 3600, 1.0, None)
        async with budget.reserve(Spending(1.0, 1)):
            execute(url, "DROP TABLE multillm_reservations")
    [record] = caplog.records
    assert record.levelname == "WARNING"
    assert "cannot be given back" in record.message
