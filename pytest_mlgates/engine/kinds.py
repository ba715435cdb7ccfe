"""What kind of column an Arrow type makes."""

from __future__ import annotations

from typing import Any

from pytest_mlgates.engine.port import ColumnType


def column_type(type_: Any) -> ColumnType:
    """`type_` is a pyarrow.DataType."""
    from pyarrow import types

    if types.is_dictionary(type_):
        return column_type(type_.value_type)
    if types.is_boolean(type_):
        return ColumnType("boolean")
    if types.is_integer(type_):
        return ColumnType("integer")
    if types.is_floating(type_) or types.is_decimal(type_):
        return ColumnType("number")
    if types.is_string(type_) or types.is_large_string(type_) or types.is_string_view(type_):
        return ColumnType("text")
    if types.is_timestamp(type_):
        return ColumnType("date", zone="UTC" if type_.tz else "")
    if types.is_date(type_):
        return ColumnType("date")
    if types.is_null(type_):
        return ColumnType("null")
    if types.is_fixed_size_list(type_) and types.is_floating(type_.value_type):
        return ColumnType("vector", size=type_.list_size)
    if (types.is_list(type_) or types.is_large_list(type_)) and types.is_floating(type_.value_type):
        return ColumnType("vector")
    return ColumnType("other")
