"""The learned router: quality from a prompt's form, kind and words, as far as each can be trusted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.special import expit, logsumexp, softmax
from sklearn.cluster import KMeans
from sklearn.decomposition import TruncatedSVD
from sklearn.linear_model import Ridge
from sklearn.preprocessing import normalize

from multillm.learning.base import PromptQuality
from multillm.learning.familiarity import Familiarity, coverage
from multillm.learning.linear import apply_ridge, fit_ridge, measured_together, shrunken_effects, transferred_shares
from multillm.learning.text import among, hashed_counts, inverse_document_frequency, tf_idf
from multillm.learning.traits import GENERAL_TRAITS, traits
from multillm.metrics.bootstrap import Figures
from multillm.outcomes import Outcomes

__all__ = ["LearnedQuality"]

FEATURES = 2**22
SEEN_AT_LEAST = 2
CLIPPED_AT = 2.5


class LearnedQuality(PromptQuality):
    r"""Linear models of form, kind and words, each weighed by how well it carries over.

    .. math::
        Q(x) = \bar Q + g(x) \left[ s_1(x)\, F(x) + f(x)\, K(x) + s_2(x)\, T(x) + f(x)\, W(x) \right],
        \qquad s_j(x) = f(x) + (1 - f(x))\, \tau_j

    :math:`\bar Q` is each model's mean, :math:`F` a ridge on the most general traits of form, :math:`K` the shrunken
    means of kinds of prompts mixed by naive Bayes, :math:`T` a ridge on all traits and :math:`W` one on hashed word
    n-grams, each fitted to what the ones before leave. :math:`f` says whether the kind of prompt is known,
    :math:`\tau` what left-out kinds do not refute of :math:`F` and what they confirm of :math:`T`, and :math:`g`
    falls to 0 for a prompt unlike anything seen: then the choice is that of the best fixed model. Every part is linear
    in the qualities and the same for every model, so what is learned of the models' difference is a ridge on the gain.

    Kinds are the `group` of the prompts where it is given for all, else clusters of their words.

    Parameters
    ----------
    general_penalty, trait_penalty, text_penalty : float
        Ridge penalties of :math:`F`, :math:`T` (per prompt) and :math:`W`.
    background : float, default 0.3
        Share of the common language mixed into each kind's words.
    temperature : float, default 0.1
        Divisor of the naive Bayes evidence.
    balance : float, default 0.7
        0 gives every prompt the same weight in :math:`F`, 1 every kind.
    kinds : int, default 20
        Clusters, where no groups are given.
    seed : int, default 0
        Source of chance.
    """

    def __init__(
        self,
        *,
        general_penalty: float = 1.0,
        trait_penalty: float = 3.0,
        text_penalty: float = 6.0,
        background: float = 0.3,
        temperature: float = 0.1,
        balance: float = 0.7,
        kinds: int = 20,
        seed: int = 0,
    ) -> None:
        self.general_penalty = general_penalty
        self.trait_penalty = trait_penalty
        self.text_penalty = text_penalty
        self.background = background
        self.temperature = temperature
        self.balance = balance
        self.kinds = kinds
        self.seed = seed

    def _fit(self, outcomes: Outcomes) -> None:
        texts = outcomes.prompts["prompt"].fillna("").tolist()
        quality = outcomes.quality_matrix().to_numpy(float)
        form, counts = _form(texts), _counts(texts)
        seen, documents = np.unique(counts.indices, return_counts=True)
        self.columns_ = seen[documents >= SEEN_AT_LEAST]
        self.rarity_ = inverse_document_frequency(among(counts, self.columns_))
        self.center_ = form.mean(axis=0)
        self.scale_ = np.where(form.std(axis=0) > 1e-9, form.std(axis=0), np.inf)
        standard, words = self._standard(form), self._words(counts)
        kind = self._kinds(outcomes.prompts["group"], words)
        self.mean_ = np.nanmean(quality, axis=0)
        self._fit_parts(standard, words, kind, quality - self.mean_)
        self._fit_familiarity(form, counts, words, kind)

    def _fit_parts(self, standard: Figures, words: sparse.csr_matrix, kind: np.ndarray, left: Figures) -> None:
        """Each part on what the ones before it leave."""
        weight = np.bincount(kind)[kind] ** -float(self.balance)
        alike = np.ones(len(kind))
        general = standard[:, :GENERAL_TRAITS]
        self.transfer_ = transferred_shares(
            standard,
            left,
            kind,
            weight=weight,
            general=GENERAL_TRAITS,
            penalties=(self.general_penalty, self.trait_penalty),
        )
        self.general_ = fit_ridge(general, left, weight, self.general_penalty)
        left = left - apply_ridge(general, self.general_)
        member = sparse.csr_matrix((alike, (kind, np.arange(len(kind)))))
        self.topics_ = self._topics(member @ words)
        known = (~np.isnan(left)).astype(float)
        self.effects_ = shrunken_effects(member @ np.nan_to_num(left), member @ known, np.nanvar(left, axis=0))
        left = left - self.effects_[kind]
        self.traits_ = fit_ridge(standard, left, alike, self.trait_penalty)
        left = left - apply_ridge(standard, self.traits_)
        self.text_ = np.zeros((words.shape[1], left.shape[1]))
        for rows, models in measured_together(left):
            ridge = Ridge(alpha=self.text_penalty, fit_intercept=False, solver="sparse_cg", tol=1e-3)
            fitted = ridge.fit(words[rows], left[np.ix_(rows, models)]).coef_
            self.text_[:, models] = fitted.reshape(len(models), -1).T

    def _fit_familiarity(
        self, form: Figures, counts: sparse.csr_matrix, words: sparse.csr_matrix, kind: np.ndarray
    ) -> None:
        """What a prompt of a known kind looks like: the prompts seen, against the rest with and without their kind."""
        near, far = np.zeros(len(kind)), np.zeros(len(kind))
        fold = np.random.default_rng(self.seed).permutation(len(kind)) % 4
        for held in range(4):
            rest, out = np.flatnonzero(fold != held), np.flatnonzero(fold == held)
            shape = (len(self.topics_), len(kind))
            member = sparse.csr_matrix((np.ones(len(rest)), (kind[rest], rest)), shape=shape)
            evidence = words[out] @ self._topics(member @ words).T / self.temperature
            near[out] = logsumexp(evidence, axis=1)
            evidence[np.arange(len(out)), kind[out]] = -np.inf
            far[out] = logsumexp(evidence, axis=1)
        familiarity = Familiarity.fit(form, self.center_, counts, kind, near=near, far=far)
        self.odds_, self.whiten_, self.limits_ = familiarity.odds, familiarity.whiten, familiarity.limits

    def _predict(self, prompts: pd.DataFrame) -> Figures:
        texts = prompts["prompt"].fillna("").astype(str).tolist()
        form, counts = _form(texts), _counts(texts)
        standard, words = self._standard(form), self._words(counts)
        evidence = words @ self.topics_.T / self.temperature
        familiarity = Familiarity(self.odds_, self.whiten_, self.limits_, self.center_)
        covered = coverage(counts, self.columns_)
        known = familiarity.known(expit(familiarity.log_odds(logsumexp(evidence, axis=1), covered)))[:, None]
        gate = familiarity.gate(form, covered)[:, None]
        general_share, trait_share = (known + (1 - known) * share for share in self.transfer_)
        parts = (
            general_share * apply_ridge(standard[:, :GENERAL_TRAITS], self.general_)
            + known * (softmax(evidence, axis=1) @ self.effects_)
            + trait_share * apply_ridge(standard, self.traits_)
            + known * (words @ self.text_)
        )
        return _within_bounds(np.asarray(self.mean_ + gate * parts))

    def _kinds(self, groups: pd.Series[str], words: sparse.csr_matrix) -> np.ndarray:
        """Index of each prompt's kind: its group where all have one, else a cluster of words."""
        if groups.notna().all() and groups.nunique() > 1:
            return np.asarray(pd.factorize(groups, sort=True)[0])
        dimensions = max(1, min(60, words.shape[1] - 1, words.shape[0] - 1))
        reduced = TruncatedSVD(dimensions, n_iter=2, random_state=self.seed).fit_transform(words)
        clusters = min(self.kinds, len(np.unique(reduced.round(6), axis=0)))
        found = KMeans(clusters, n_init=1, max_iter=25, random_state=self.seed).fit_predict(normalize(reduced))
        return np.asarray(np.unique(found, return_inverse=True)[1])

    def _topics(self, words: sparse.csr_matrix) -> Figures:
        """Evidence of each word for each kind, against the language of all."""
        dense = np.asarray(words.todense()) + 1e-12
        common = dense.sum(axis=0) / dense.sum()
        share = dense / dense.sum(axis=1, keepdims=True)
        return np.asarray(np.log((1 - self.background) * share / common + self.background))

    def _standard(self, form: Figures) -> Figures:
        return np.asarray(np.clip((form - self.center_) / self.scale_, -CLIPPED_AT, CLIPPED_AT))

    def _words(self, counts: sparse.csr_matrix) -> sparse.csr_matrix:
        """Logarithmic counts times rarity of the n-grams seen often enough, each row of length 1."""
        return tf_idf(among(counts, self.columns_), self.rarity_)


def _form(texts: Sequence[str]) -> Figures:
    return np.stack([traits(text) for text in texts])


def _counts(texts: Sequence[str]) -> sparse.csr_matrix:
    return hashed_counts(texts, features=FEATURES, longest=3)


def _within_bounds(quality: Figures) -> Figures:
    """The qualities of a prompt moved as one into 0..1, so that the gains between models stay as they are."""
    lowered = quality - np.maximum(0.0, quality.max(axis=1, keepdims=True) - 1.0)
    return np.asarray(np.clip(lowered - np.minimum(0.0, lowered.min(axis=1, keepdims=True)), 0.0, 1.0))
