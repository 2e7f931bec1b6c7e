"""From a sub-task to its type and complexity."""

from __future__ import annotations

from multillm.classification.base import Classifier
from multillm.classification.linear import LearnedClassifier, RulesClassifier
from multillm.classification.reference import ReferenceClassifier
from multillm.errors import ConfigurationError
from multillm.markup import Listing
from multillm.splitting import Splitter, get_splitter
from multillm.splitting.base import check_prompt
from multillm.tasks import SubTask, TaskProfile

__all__ = [
    "CLASSIFIERS",
    "Classifier",
    "LearnedClassifier",
    "ReferenceClassifier",
    "RulesClassifier",
    "classify",
    "get_classifier",
    "split_and_classify",
]

CLASSIFIERS: dict[str, type[Classifier]] = {
    classifier.name: classifier for classifier in (LearnedClassifier, RulesClassifier, ReferenceClassifier)
}


def get_classifier(classifier: str | Classifier) -> Classifier:
    """A classifier by name, or the one given.

    Raises
    ------
    ConfigurationError
        If no classifier has that name.
    """
    if not isinstance(classifier, str):
        return classifier
    if classifier not in CLASSIFIERS:
        allowed = ", ".join(sorted(CLASSIFIERS))
        raise ConfigurationError(f"no classifier is called {classifier!r}; choose one of {allowed}")
    return CLASSIFIERS[classifier]()


def classify(text: str, classifier: str | Classifier = "learned") -> TaskProfile:
    """Classify one sub-task.

    Parameters
    ----------
    text : str
        The sub-task.
    classifier : str or Classifier, default "learned"
        Which classifier: ``"learned"``, ``"rules"``, ``"reference"`` or one of your own.

    Returns
    -------
    TaskProfile
        Type, complexity (0..1), tier, estimated tokens and the signals behind them.

    Raises
    ------
    InputError
        If the text is not text or is empty.

    Examples
    --------
    >>> classify("Write the API reference documentation for our REST /users endpoints").tier
    <ComplexityTier.LOW: 'LOW'>
    """
    check_prompt(text)
    return get_classifier(classifier).classify(SubTask(text, 0, len(text)))


def split_and_classify(
    prompt: str, splitter: str | Splitter = "structural", classifier: str | Classifier = "learned"
) -> Listing[TaskProfile]:
    """Split a prompt and classify each sub-task.

    Parameters
    ----------
    prompt : str
        What the user asked.
    splitter : str or Splitter, default "structural"
        Which splitter.
    classifier : str or Classifier, default "learned"
        Which classifier: ``"learned"``, ``"rules"``, ``"reference"`` or one of your own.

    Returns
    -------
    Listing of TaskProfile
        A list: one for each sub-task, in prompt order.

    Raises
    ------
    InputError
        If the prompt is not text or is empty.
    """
    chosen = get_classifier(classifier)
    return Listing(chosen.classify(subtask) for subtask in get_splitter(splitter).split(prompt))
