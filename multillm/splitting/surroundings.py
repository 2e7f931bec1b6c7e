"""What the clauses of a prompt show as each other's surroundings."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from multillm.splitting.clauses import Clause
from multillm.splitting.facts import Fact
from multillm.splitting.heads import ASKING

__all__ = ["Surroundings", "beside"]

MOST = 8
FEW = 3
SOME = 4
LONG = 7


class Surroundings:
    """The clauses of a prompt as each other's surroundings.

    Parameters
    ----------
    found : sequence of Clause
        All of them.
    """

    def __init__(self, found: Sequence[Clause]) -> None:
        self.found = found
        asking = [clause.kind in ASKING for clause in found]
        self.asked = list(accumulate(asking, initial=0))
        self.next_joints = _next_joints(found, asking)
        self.paragraphs = list(accumulate(int(clause.joint == "paragraph") for clause in found))

    def facts(self, place: int) -> list[Fact]:
        """What a clause and the others show together, whatever has been asked before it."""
        found, asked, clause = self.found, self.asked, self.found[place]
        kind, joint = clause.kind, clause.joint
        return [
            *clause.words(),
            *clause.facts(),
            *beside(found, place),
            ("clauses", min(len(found), MOST), kind),
            ("paragraphs", min(self.paragraphs[place], SOME), kind),
            ("after joint", found[place - 1].joint if place else "none", joint),
            ("fragment", clause.fragment, min(clause.size, LONG), joint),
            ("asking before", min(asked[place], FEW), kind),
            ("asking after", min(asked[-1] - asked[place + 1], FEW), kind),
            ("next asking", self.next_joints[place], joint, kind),
        ]


def beside(found: Sequence[Clause], place: int) -> list[Fact]:
    """What a clause and its neighbours show together."""
    clause = found[place]
    facts: list[Fact] = []
    if place:
        before = found[place - 1]
        facts.append(("after", before.first.kind, clause.joint, clause.first.kind))
    if place + 1 < len(found):
        following = found[place + 1]
        facts.append(("next", following.joint, following.first.kind, clause.first.kind))
    return facts


def _next_joints(found: Sequence[Clause], asking: Sequence[bool]) -> list[str]:
    """For each clause what stands before the next one that asks; "none" if none does."""
    joints, joint = [], "none"
    for clause, asks in zip(reversed(found), reversed(asking), strict=True):
        joints.append(joint)
        joint = clause.joint if asks else joint
    return joints[::-1]
