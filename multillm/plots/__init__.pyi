from .ablation import plot_ablation as plot_ablation
from .classification import plot_calibration as plot_calibration, plot_confusion as plot_confusion
from .drift import plot_drift as plot_drift
from .evaluation import (
    plot_cost_quality as plot_cost_quality,
    plot_front as plot_front,
    plot_gain_recovered as plot_gain_recovered,
)
from .latency import plot_latency as plot_latency
from .quality import plot_quality_curves as plot_quality_curves
from .regret import plot_regret as plot_regret
from .routing_map import plot_routing_map as plot_routing_map
from .style import plot_style as plot_style
from .timeline import plot_timeline as plot_timeline
from .utility import plot_candidates as plot_candidates, plot_utility as plot_utility
