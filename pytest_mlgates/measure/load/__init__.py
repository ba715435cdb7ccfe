"""Endpoints and models under load: raw samples in, quantiles, errors and memory out."""
