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
    ReferenceClassifier as ReferenceClassifier,
    classify as classify,
    split_and_classify as split_and_classify,
)
from .client import Deployment as Deployment, ModelClient as ModelClient
from .completion import Attempt as Attempt, Client as Client, Completion as Completion, CompletionRequest as CompletionRequest
from .errors import (
    BackendError as BackendError,
    BackendUnavailable as BackendUnavailable,
    Cancelled as Cancelled,
    CompletionError as CompletionError,
    CompletionTimeout as CompletionTimeout,
    ConfigurationError as ConfigurationError,
    ContextOverflow as ContextOverflow,
    EmptyCompletion as EmptyCompletion,
    FeedbackError as FeedbackError,
    InputError as InputError,
    ModelMissing as ModelMissing,
    MultillmError as MultillmError,
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
from .feedback import FeedbackRecord as FeedbackRecord, FeedbackStore as FeedbackStore, FeedbackSummary as FeedbackSummary
from .orchestrator import Orchestrator as Orchestrator
from .policy import OutputBudget as OutputBudget, Policy as Policy
from .pool import Pool as Pool, load_pool as load_pool, pool_names as pool_names
from .registry import ModelSpec as ModelSpec, QualityCurve as QualityCurve, Registry as Registry
from .results import RunResult as RunResult, SubTaskEvent as SubTaskEvent, SubTaskResult as SubTaskResult
from .router import Candidate as Candidate, RoutingDecision as RoutingDecision, TaskRouter as TaskRouter
from .settings import CallSettings as CallSettings
from .splitting import (
    ReferenceSplitter as ReferenceSplitter,
    Splitter as Splitter,
    StructuralSplitter as StructuralSplitter,
    split as split,
)
from .tasks import ComplexityTier as ComplexityTier, SubTask as SubTask, TaskProfile as TaskProfile, TaskType as TaskType
