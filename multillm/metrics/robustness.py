"""Whether a router stays with its choice when a prompt is typed less carefully."""

from __future__ import annotations

import numpy as np

from multillm.metrics.bootstrap import Figures, weighted_mean

__all__ = ["perturb", "robustness"]


def perturb(prompt: str, rng: np.random.Generator, rate: float = 0.05) -> str:
    """The prompt with typing slips: letters swapped, dropped, doubled or in the other case.

    Parameters
    ----------
    prompt : str
        Any text.
    rng : Generator
        Source of chance.
    rate : float, default 0.05
        Share of letters hit, 0..1; digits, spaces and signs stay.

    Returns
    -------
    str
        The text; each letter is hit by at most one slip.
    """
    letters = list(prompt)
    places = [place for place, letter in enumerate(letters) if letter.isalpha()]
    for place in rng.permutation(places)[: round(rate * len(places))] if places else ():
        letter, slip = letters[place], rng.integers(4)
        if slip == 0 and place + 1 < len(letters) and len(letters[place + 1]) == 1:
            letters[place], letters[place + 1] = letters[place + 1], letter
        else:
            letters[place] = ("", "", letter * 2, letter.swapcase())[slip]
    return "".join(letters)


def robustness(choice: Figures, perturbed_choice: Figures, weights: Figures | None = None) -> Figures:
    r"""Share of prompts on which the choice of model stays when the prompt is perturbed.

    .. math:: 1 - \mathrm{flips} / n

    (RouterArena, arXiv:2510.00202).

    Parameters
    ----------
    choice, perturbed_choice : float array of shape [n, m]
        Shares of each prompt that each model takes, before and after.
    weights : float array of shape [b, n], optional
        How much each prompt counts; all the same if left out.

    Returns
    -------
    float array of shape [b], without `weights` []
        0..1. Shares agree as far as they overlap, so that one tie split the same way twice counts as no flip.
    """
    return weighted_mean(np.minimum(choice, perturbed_choice).sum(axis=1), weights)
