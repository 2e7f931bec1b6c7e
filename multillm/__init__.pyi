from .backends import (
    Backend as Backend,
    BackendStatus as BackendStatus,
    EmbeddedBackend as EmbeddedBackend,
    OllamaBackend as OllamaBackend,
    RecordingClient as RecordingClient,
    ReplayBackend as ReplayBackend,
    choose_backend as choose_backend,
)
from .classification import (
    Classifier as Classifier,
    LearnedClassifier as LearnedClassifier,
    ReferenceClassifier as ReferenceClassifier,
    RulesClassifier as RulesClassifier,
    classify as classify,
    split_and_classify as split_and_classify,
)
from .classification.batch import classify_many as classify_many
from .client import Deployment as Deployment, ModelClient as ModelClient
from .completion import (
    Attempt as Attempt,
    Client as Client,
    Completion as Completion,
    CompletionRequest as CompletionRequest,
)
from .datasets import load_outcomes as load_outcomes
from .errors import (
    BackendError as BackendError,
    BackendUnavailable as BackendUnavailable,
    Cancelled as Cancelled,
    CompletionError as CompletionError,
    CompletionTimeout as CompletionTimeout,
    ConfigurationError as ConfigurationError,
    ContextOverflow as ContextOverflow,
    DatasetUnavailable as DatasetUnavailable,
    EmptyCompletion as EmptyCompletion,
    EstimatorError as EstimatorError,
    FeedbackError as FeedbackError,
    InputError as InputError,
    ModelMissing as ModelMissing,
    MultillmError as MultillmError,
    OutcomesError as OutcomesError,
    RecordingMissing as RecordingMissing,
    RoutingError as RoutingError,
    UpstreamFailed as UpstreamFailed,
)
from .estimators import (
    ConstantQuality as ConstantQuality,
    CostEstimator as CostEstimator,
    CurveQuality as CurveQuality,
    ListedCost as ListedCost,
    QualityEstimator as QualityEstimator,
)
from .evaluation import Evaluation as Evaluation, evaluate as evaluate
from .feedback import (
    FeedbackRecord as FeedbackRecord,
    FeedbackStore as FeedbackStore,
    FeedbackSummary as FeedbackSummary,
)
from .gold import gold_frame as gold_frame, load_gold as load_gold
from .learning import (
    ClusterQuality as ClusterQuality,
    FittedCurves as FittedCurves,
    LearnedQuality as LearnedQuality,
    LinearCurves as LinearCurves,
    LiteLLMComplexity as LiteLLMComplexity,
    MeanQuality as MeanQuality,
    NeighbourQuality as NeighbourQuality,
    OracleQuality as OracleQuality,
    PromptLength as PromptLength,
    PromptQuality as PromptQuality,
    RandomQuality as RandomQuality,
    ReferenceComplexity as ReferenceComplexity,
    load_estimator as load_estimator,
)
from .orchestrator import Orchestrator as Orchestrator
from .outcomes import Outcomes as Outcomes
from .policy import OutputBudget as OutputBudget, Policy as Policy
from .pool import Pool as Pool, load_pool as load_pool, pool_names as pool_names
from .registry import ModelSpec as ModelSpec, QualityCurve as QualityCurve, Registry as Registry
from .results import RunResult as RunResult, SubTaskEvent as SubTaskEvent, SubTaskResult as SubTaskResult
from .router import Candidate as Candidate, RoutingDecision as RoutingDecision, TaskRouter as TaskRouter
from .scores import compare_classifiers as compare_classifiers, compare_splitters as compare_splitters
from .settings import CallSettings as CallSettings
from .splitting import (
    ReferenceSplitter as ReferenceSplitter,
    Splitter as Splitter,
    StructuralSplitter as StructuralSplitter,
    split as split,
)
from .splitting.batch import split_many as split_many
from .tasks import (
    ComplexityTier as ComplexityTier,
    SubTask as SubTask,
    TaskProfile as TaskProfile,
    TaskType as TaskType,
)
from .tuning import TunedPolicy as TunedPolicy, tune as tune
