"""Pieces of columns are small here, but the machine may be busy: time is no criterion."""

from hypothesis import settings

settings.register_profile("skew", deadline=None)
settings.load_profile("skew")
