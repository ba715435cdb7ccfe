"""The outside opened as the settings say: registry, golden store and cluster, scorer, endpoints, samples, locks."""
