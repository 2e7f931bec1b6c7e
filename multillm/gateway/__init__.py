"""multillm inside LiteLLM's proxy: the pipeline as a model, classifier and thresholds as its plugins, its config."""
