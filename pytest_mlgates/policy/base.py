"""What every policy is made of."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def as_tuple(value: Any) -> Any:
    """TOML has lists; what is frozen holds tuples."""
    return tuple(value) if isinstance(value, list) else value


Share = Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)]
Margin = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Names = Annotated[tuple[str, ...], BeforeValidator(as_tuple)]


class Policy(BaseModel):
    """Unknown keys and wrong types are refused; values never change after reading."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Plain(Policy):
    """A gate without a kind has no policy of its own."""
