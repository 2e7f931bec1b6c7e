"""Prompts whose answers are computed: sums, sequences, dates, orders, extraction."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from random import Random

from multillm.promptgen.records import Record, choice, exact, number, schema
from multillm.tasks import TaskType

__all__ = ["computed"]

NAMES = ("Ana", "Ben", "Carla", "David", "Emma", "Farid", "Grace", "Hugo", "Ines", "Jonas", "Kira", "Liam")
THINGS = ("apples", "books", "stamps", "eggs", "marbles", "tickets", "pencils", "chairs")
TOWNS = ("Lisbon", "Oslo", "Vienna", "Dublin", "Prague", "Athens", "Bergen", "Turin")
REASONING = TaskType.REASONING
WORKING = 128
"""Tokens for an answer that is worked out aloud."""
Task = Callable[[Random], Record]


def computed(random: Random) -> Iterator[tuple[str, Record]]:
    """Level and record of every computed prompt."""
    for level, tasks in REASONING_TASKS.items():
        for task, times in tasks:
            yield from ((level, task(random)) for _ in range(times))
    for level, task in (("low", _contact), ("medium", _order), ("high", _corrected_order)):
        yield from ((level, task(random)) for _ in range(4))


def _left(random: Random) -> Record:
    name, thing, have, give = random.choice(NAMES), random.choice(THINGS), random.randint(9, 30), random.randint(2, 8)
    ask = f"{name} has {have} {thing} and gives away {give} of them. How many {thing} are left?"
    return number(REASONING, ask, have - give)


def _boxes(random: Random) -> Record:
    boxes, each, thing = random.randint(3, 9), random.randint(3, 9), random.choice(THINGS)
    return number(
        REASONING, f"There are {each} {thing} in a box. How many {thing} are there in {boxes} boxes?", boxes * each
    )


def _largest(random: Random) -> Record:
    values = random.sample(range(10, 99), 4)
    return number(REASONING, f"Which of these numbers is the largest: {', '.join(map(str, values))}?", max(values))


def _sequence(random: Random) -> Record:
    start, step = random.randint(1, 12), random.randint(2, 6)
    shown = ", ".join(str(start + step * n) for n in range(4))
    return number(REASONING, f"Which number comes next: {shown}, ...?", start + 4 * step)


def _taller(random: Random) -> Record:
    a, b, c = random.sample(NAMES, 3)
    return exact(
        REASONING, f"{a} is taller than {b}. {b} is taller than {c}. Who is the tallest of the three?", [a], [b, c]
    )


def _shopping(random: Random) -> Record:
    thing, price, count = random.choice(THINGS), random.randint(2, 9), random.randint(3, 7)
    note = max(random.choice([50, 100]), 50 if price * count < 50 else 100)
    ask = f"{random.choice(NAMES)} buys {count} {thing} at {price} euros each"
    return number(
        REASONING, f"{ask} and pays with a {note} euro note. How many euros come back?", note - price * count, WORKING
    )


def _percent(random: Random) -> Record:
    price, off = random.randint(2, 20) * 20, random.choice([10, 20, 25, 30, 40])
    ask = (
        f"A coat costs {price} euros. In the sale it is {off} percent cheaper. What does it cost in the sale, in euros?"
    )
    return number(REASONING, ask, price * (100 - off) // 100, WORKING)


def _geometric(random: Random) -> Record:
    start, factor = random.randint(2, 5), random.randint(2, 3)
    shown = ", ".join(str(start * factor**n + 1) for n in range(4))
    return number(REASONING, f"Which number comes next: {shown}, ...?", start * factor**4 + 1, WORKING)


def _weekday(random: Random) -> Record:
    start, days = date(2024, 1, 1) + timedelta(random.randint(0, 6)), random.randint(9, 40)
    ask = f"Today is {start:%A}. Which day of the week will it be in {days} days?"
    week = {f"{start + timedelta(n):%A}" for n in range(1, 7)}
    answer = f"{start + timedelta(days):%A}"
    return exact(REASONING, ask, [answer], sorted(week - {answer}))


def _journey(random: Random) -> Record:
    speed, hours = random.choice([40, 60, 80, 90]), random.randint(2, 6)
    rest = random.choice([30, 45, 90])
    ask = f"A bus drives {speed * hours} km at {speed} km per hour, with one break of {rest} minutes. "
    return number(REASONING, f"{ask}How many minutes does the whole journey take?", hours * 60 + rest, WORKING)


def _order_of_five(random: Random) -> Record:
    ranked = random.sample(NAMES, 5)
    clues = [f"{ranked[i]} finished before {ranked[i + 1]}." for i in range(4)]
    random.shuffle(clues)
    place = random.choice([2, 3, 4])
    ordinal = {2: "second", 3: "third", 4: "fourth"}[place]
    return exact(
        REASONING,
        f"Five people ran a race. {' '.join(clues)} Who finished {ordinal}?",
        ranked[place - 1 : place],
        sorted({*ranked} - {ranked[place - 1]}),
    )


def _days_between(random: Random) -> Record:
    start = date(random.randint(2019, 2027), random.randint(1, 6), random.randint(1, 28))
    end = start + timedelta(random.randint(60, 180))
    ask = f"How many days after {start.day} {start:%B %Y} is {end.day} {end:%B %Y}?"
    return number(REASONING, ask, (end - start).days, WORKING)


def _tank(random: Random) -> Record:
    inflow, outflow, hours = random.randint(30, 60), random.randint(5, 25), random.randint(3, 8)
    start, capacity = random.randint(50, 150), random.randint(20, 40)
    full = start + (inflow - outflow) * hours + capacity
    ask = (
        f"A tank holds {full} litres and has {start} litres in it. "
        f"Each hour {inflow} litres flow in and {outflow} out. "
        f"How many litres are missing to a full tank after {hours} hours?"
    )
    return number(REASONING, ask, capacity, WORKING)


def _shares(random: Random) -> Record:
    a, b, c = random.sample(NAMES, 3)
    part = random.randint(4, 15)
    total = part + 2 * part + (2 * part + 6)
    ask = (
        f"{a}, {b} and {c} share {total} euros. {b} gets twice as much as {a}, and {c} gets 6 euros more than {b}. "
        f"How many euros does {c} get?"
    )
    return number(REASONING, ask, 2 * part + 6, WORKING)


def _remainder(random: Random) -> Record:
    base, power, modulus = random.randint(2, 9), random.randint(12, 40), random.choice([5, 7, 10, 11])
    ask = f"What is the remainder when {base} to the power of {power} is divided by {modulus}?"
    return number(REASONING, ask, pow(base, power, modulus), WORKING)


def _liar(random: Random) -> Record:
    a, b, c = random.sample(NAMES, 3)
    ask = (
        f"Exactly one of {a}, {b} and {c} broke the window, and exactly one of them tells the truth. "
        f'{a} says: "It was {b}." '
        f'{b} says: "It was not me." {c} says: "It was not me." Who broke the window?'
    )
    return choice(REASONING, ask, c, [a, b, "It cannot be told"], random)


def _contact(random: Random) -> Record:
    name, age, town = random.choice(NAMES), random.randint(19, 80), random.choice(TOWNS)
    ask = (
        'Extract the facts of this sentence as a JSON object with the keys "name", "age" and "town".\n\n'
        f"{name}, who is {age} years old, has lived in {town} since school."
    )
    return _extracted(ask, {"name": name, "age": age, "town": town})


def _order(random: Random) -> Record:
    (first, second), name = random.sample(THINGS, 2), random.choice(NAMES)
    count, price = random.randint(2, 9), random.randint(11, 60)
    day = date(2025, random.randint(1, 12), random.randint(1, 28))
    ask = (
        "Condense this message into a JSON object with the keys "
        '"customer", "item", "quantity" and "date" (YYYY-MM-DD).\n\n'
        f"Hello, this is {name}. I had asked about {second} last week, but I would now like to order {count} {first} "
        f"at {price} euros, to be delivered on {day.day} {day:%B %Y}. Thanks!"
    )
    return _extracted(ask, {"customer": name, "item": first, "quantity": count, "date": day.isoformat()})


def _corrected_order(random: Random) -> Record:
    (first, second), (name, other) = random.sample(THINGS, 2), random.sample(NAMES, 2)
    a, b, cut = random.randint(5, 12), random.randint(5, 12), random.randint(1, 3)
    price = random.randint(2, 9)
    ask = (
        'Condense this conversation into one JSON object with the keys "customer", "items" (an object from each item '
        'to the quantity finally ordered) and "total" (the price of the whole order in euros, a number).\n\n'
        f"{name}: I'd like {a} {first} and {b} {second}.\n"
        f"{other}: Every piece is {price} euros. We have enough of both.\n"
        f"{name}: Then make it {cut} fewer {first}, please.\n{other}: Done."
    )
    items = {first: a - cut, second: b}
    return _extracted(ask, {"customer": name, "items": items, "total": price * (a - cut + b)})


def _extracted(ask: str, values: dict[str, object]) -> Record:
    wanted = {
        "type": "object",
        "required": list(values),
        "properties": {key: {"const": v} for key, v in values.items()},
    }
    return schema(TaskType.SUMMARISATION, ask, wanted, values, 96)


REASONING_TASKS: dict[str, tuple[tuple[Task, int], ...]] = {
    "low": ((_left, 4), (_boxes, 3), (_largest, 2), (_sequence, 3), (_taller, 3)),
    "medium": ((_shopping, 3), (_percent, 3), (_geometric, 2), (_weekday, 3), (_journey, 2), (_order_of_five, 2)),
    "high": ((_days_between, 3), (_tank, 3), (_shares, 3), (_remainder, 3), (_liar, 1), (_order_of_five, 2)),
}
"""For each level, kinds of prompts and how many of each."""
