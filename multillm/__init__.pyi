from .backends import (
    Backend as Backend,
)
from .backends import (
    BackendStatus as BackendStatus,
)
from .backends import (
    EmbeddedBackend as EmbeddedBackend,
)
from .backends import (
    OllamaBackend as OllamaBackend,
)
from .backends import (
    RecordingClient as RecordingClient,
)
from .backends import (
    ReplayBackend as ReplayBackend,
)
from .backends import (
    choose_backend as choose_backend,
)
from .classification import (
    Classifier as Classifier,
)
from .classification import (
    ReferenceClassifier as ReferenceClassifier,
)
from .classification import (
    classify as classify,
)
from .classification import (
    split_and_classify as split_and_classify,
)
from .client import Deployment as Deployment
from .client import ModelClient as ModelClient
from .completion import (
    Attempt as Attempt,
)
from .completion import (
    Client as Client,
)
from .completion import (
    Completion as Completion,
)
from .completion import (
    CompletionRequest as CompletionRequest,
)
from .errors import (
    BackendError as BackendError,
)
from .errors import (
    BackendUnavailable as BackendUnavailable,
)
from .errors import (
    Cancelled as Cancelled,
)
from .errors import (
    CompletionError as CompletionError,
)
from .errors import (
    CompletionTimeout as CompletionTimeout,
)
from .errors import (
    ConfigurationError as ConfigurationError,
)
from .errors import (
    ContextOverflow as ContextOverflow,
)
from .errors import (
    EmptyCompletion as EmptyCompletion,
)
from .errors import (
    FeedbackError as FeedbackError,
)
from .errors import (
    InputError as InputError,
)
from .errors import (
    ModelMissing as ModelMissing,
)
from .errors import (
    MultillmError as MultillmError,
)
from .errors import (
    RecordingMissing as RecordingMissing,
)
from .errors import (
    RoutingError as RoutingError,
)
from .errors import (
    UpstreamFailed as UpstreamFailed,
)
from .estimators import (
    ConstantQuality as ConstantQuality,
)
from .estimators import (
    CostEstimator as CostEstimator,
)
from .estimators import (
    CurveQuality as CurveQuality,
)
from .estimators import (
    ListedCost as ListedCost,
)
from .estimators import (
    QualityEstimator as QualityEstimator,
)
from .feedback import (
    FeedbackRecord as FeedbackRecord,
)
from .feedback import (
    FeedbackStore as FeedbackStore,
)
from .feedback import (
    FeedbackSummary as FeedbackSummary,
)
from .orchestrator import Orchestrator as Orchestrator
from .policy import OutputBudget as OutputBudget
from .policy import Policy as Policy
from .pool import Pool as Pool
from .pool import load_pool as load_pool
from .pool import pool_names as pool_names
from .registry import ModelSpec as ModelSpec
from .registry import QualityCurve as QualityCurve
from .registry import Registry as Registry
from .results import RunResult as RunResult
from .results import SubTaskEvent as SubTaskEvent
from .results import SubTaskResult as SubTaskResult
from .router import Candidate as Candidate
from .router import RoutingDecision as RoutingDecision
from .router import TaskRouter as TaskRouter
from .settings import CallSettings as CallSettings
from .splitting import (
    ReferenceSplitter as ReferenceSplitter,
)
from .splitting import (
    Splitter as Splitter,
)
from .splitting import (
    StructuralSplitter as StructuralSplitter,
)
from .splitting import (
    split as split,
)
from .tasks import (
    ComplexityTier as ComplexityTier,
)
from .tasks import (
    SubTask as SubTask,
)
from .tasks import (
    TaskProfile as TaskProfile,
)
from .tasks import (
    TaskType as TaskType,
)
