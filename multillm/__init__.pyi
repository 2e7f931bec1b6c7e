from .backends import (
    Backend as Backend,
    BackendStatus as BackendStatus,
    EmbeddedBackend as EmbeddedBackend,
    OllamaBackend as OllamaBackend,
    RecordingClient as RecordingClient,
    ReplayBackend as ReplayBackend,
    choose_backend as choose_backend,
)
from .batch_routing import route_many as route_many
from .bench import (
    Ablation as Ablation,
    Benchmark as Benchmark,
    Reproduction as Reproduction,
    ablate as ablate,
    ablate_async as ablate_async,
    reproduce_benchmark as reproduce_benchmark,
    reproduce_benchmark_async as reproduce_benchmark_async,
    run_benchmark as run_benchmark,
    run_benchmark_async as run_benchmark_async,
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
from .decisions import (
    Candidate as Candidate,
    Rejection as Rejection,
    RoutingDecision as RoutingDecision,
    RoutingRule as RoutingRule,
)
from .errors import (
    BackendError as BackendError,
    BackendUnavailable as BackendUnavailable,
    BenchmarkError as BenchmarkError,
    BudgetExceeded as BudgetExceeded,
    Cancelled as Cancelled,
    CompletionError as CompletionError,
    CompletionTimeout as CompletionTimeout,
    ConfigurationError as ConfigurationError,
    ContextOverflow as ContextOverflow,
    DatasetUnavailable as DatasetUnavailable,
    DeadlineExceeded as DeadlineExceeded,
    EmptyCompletion as EmptyCompletion,
    EstimatorError as EstimatorError,
    FeedbackError as FeedbackError,
    InputError as InputError,
    ModelMissing as ModelMissing,
    MultillmError as MultillmError,
    OutcomesError as OutcomesError,
    RecordingMissing as RecordingMissing,
    RoutingError as RoutingError,
    SandboxUnavailable as SandboxUnavailable,
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
from .exploring import Exploration as Exploration, Explorer as Explorer, explore as explore
from .feedback import (
    FeedbackRecord as FeedbackRecord,
    FeedbackStore as FeedbackStore,
    FeedbackSummary as FeedbackSummary,
)
from .gold import (
    AnnotatedSplitter as AnnotatedSplitter,
    GoldPrompt as GoldPrompt,
    GoldSubTask as GoldSubTask,
    gold_frame as gold_frame,
    load_gold as load_gold,
)
from .grading import Score as Score, grade as grade
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
from .limits import Limits as Limits
from .llm_splitter import LLMSplit as LLMSplit, LLMSplitter as LLMSplitter
from .markup import Listing as Listing
from .metrics import Estimate as Estimate
from .online import (
    BetaQuality as BetaQuality,
    DriftReport as DriftReport,
    EpsilonGreedy as EpsilonGreedy,
    Refitted as Refitted,
    Simulation as Simulation,
    Static as Static,
    Strategy as Strategy,
    Thompson as Thompson,
    ThompsonQuality as ThompsonQuality,
    drift_report as drift_report,
    simulate as simulate,
)
from .orchestration.events import (
    FellBack as FellBack,
    RunFinished as RunFinished,
    SubTaskDone as SubTaskDone,
    SubTaskRunning as SubTaskRunning,
    SubTaskWaiting as SubTaskWaiting,
    TextPiece as TextPiece,
    TextRestarted as TextRestarted,
)
from .orchestration.many import handle_many as handle_many
from .orchestration.options import Message as Message, RunOptions as RunOptions
from .orchestration.orchestrator import Orchestrator as Orchestrator
from .orchestration.results import (
    PromptResult as PromptResult,
    RunResult as RunResult,
    SubTaskResult as SubTaskResult,
)
from .outcomes import Outcomes as Outcomes, PartitionedOutcomes as PartitionedOutcomes
from .plots import (
    plot_ablation as plot_ablation,
    plot_calibration as plot_calibration,
    plot_candidates as plot_candidates,
    plot_confusion as plot_confusion,
    plot_cost_quality as plot_cost_quality,
    plot_drift as plot_drift,
    plot_front as plot_front,
    plot_gain_recovered as plot_gain_recovered,
    plot_latency as plot_latency,
    plot_quality_curves as plot_quality_curves,
    plot_regret as plot_regret,
    plot_routing_map as plot_routing_map,
    plot_style as plot_style,
    plot_timeline as plot_timeline,
    plot_utility as plot_utility,
)
from .policy import OutputBudget as OutputBudget, Policy as Policy
from .pool import Pool as Pool, load_pool as load_pool, pool_names as pool_names
from .progress import watch as watch
from .prompts import (
    BenchmarkPrompt as BenchmarkPrompt,
    load_prompts as load_prompts,
    prompts_frame as prompts_frame,
    prompts_hash as prompts_hash,
)
from .registry import ModelSpec as ModelSpec, QualityCurve as QualityCurve, Registry as Registry
from .router import TaskRouter as TaskRouter
from .scores import (
    calibration as calibration,
    compare_classifiers as compare_classifiers,
    compare_splitters as compare_splitters,
    confusion as confusion,
)
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
