"""The names that a model's pickle may use, library by library. What is not here is refused.

A line is ``module: name name ...``. `CALLED` may be called while loading, with arguments that `calls` checks where they
matter; `REFERRED` may only be pointed at (a metric in a scorer, a ufunc in a transformer). `CLASSES` are packages whose
classes may be made and filled: each was read for `__setstate__`, `__del__`, `exec` and `eval`, which is why `calls`
looks into the states of scipy's distributions and statsmodels' models: both evaluate a text that lies in them.
"""

from __future__ import annotations

UFUNCS = (
    "abs absolute add arccos arccosh arcsin arcsinh arctan arctan2 arctanh cbrt ceil cos cosh deg2rad divide equal exp "
    "exp2 expm1 fabs float_power floor floor_divide fmax fmin greater greater_equal hypot isfinite isinf isnan ldexp "
    "less less_equal log log10 log1p log2 logaddexp logical_and logical_not logical_or maximum minimum mod multiply "
    "negative not_equal positive power rad2deg radians reciprocal remainder rint sign sin sinh sqrt square subtract "
    "tan tanh true_divide trunc"
)
SCALARS = (
    "bool bool_ byte bytes_ cdouble clongdouble complex128 complex64 csingle datetime64 double float16 float32 float64 "
    "half int16 int32 int64 int8 intc intp int_ long longdouble longlong object_ short single str_ timedelta64 ubyte "
    "uint uint16 uint32 uint64 uint8 uintc uintp ulong ulonglong ushort void"
)
_SUMMARIES = (
    "all any argmax argmin average clip cumsum diff isclose mean median nan_to_num nanmax nanmean nanmedian nanmin "
    "nanstd nansum nanvar percentile prod ptp quantile ravel reshape round std sum var where"
)

CALLED: dict[str, str] = {
    "python": """
        builtins: object dict list set frozenset tuple int float bool str bytes bytearray complex slice range type
        collections: OrderedDict defaultdict deque Counter
        copyreg: _reconstructor __newobj__ __newobj_ex__
        _codecs: encode
        datetime: date datetime time timedelta timezone
        decimal: Decimal
        fractions: Fraction
        uuid: UUID
        pathlib: PosixPath PurePosixPath Path
        pathlib._local: PosixPath PurePosixPath Path
        re: _compile
        types: SimpleNamespace
        argparse: Namespace
    """,
    "numpy": """
        numpy: ndarray dtype matrix
        numpy.ma: MaskedArray
        numpy.core.multiarray: _reconstruct scalar
        numpy.core.numeric: _frombuffer
        numpy.matrixlib.defmatrix: matrix
        numpy.ma.core: _mareconstruct MaskedArray
        numpy.random._pickle: __randomstate_ctor __bit_generator_ctor __generator_ctor
        numpy.random._mt19937: MT19937
        numpy.random._pcg64: PCG64 PCG64DXSM
        numpy.random._philox: Philox
        numpy.random._sfc64: SFC64
        numpy.random.bit_generator: SeedSequence __pyx_unpickle_SeedSequence
        numpy.random._generator: Generator
        numpy.random.mtrand: RandomState
        numpy.core: _ufunc_reconstruct
    """,
    "pandas": """
        pandas: Series DataFrame Index RangeIndex MultiIndex CategoricalIndex DatetimeIndex TimedeltaIndex PeriodIndex
        pandas: IntervalIndex Categorical CategoricalDtype StringDtype Timestamp Timedelta Period Interval
        pandas: DatetimeTZDtype
        pandas: Int8Dtype Int16Dtype Int32Dtype Int64Dtype UInt8Dtype UInt16Dtype UInt32Dtype UInt64Dtype BooleanDtype
        pandas: Float32Dtype Float64Dtype
        pandas.core.indexes.base: _new_Index
        pandas.core.indexes.datetimes: _new_DatetimeIndex
        pandas.core.indexes.period: _new_PeriodIndex
        pandas._libs.internals: _unpickle_block BlockPlacement
        pandas._libs.arrays: __pyx_unpickle_NDArrayBacked NDArrayBacked
        pandas._libs.tslibs.timestamps: _unpickle_timestamp
        pandas._libs.tslibs.timedeltas: _timedelta_unpickle
        pandas._libs.tslibs.nattype: _nat_unpickle
        pandas._libs.tslibs.period: _period_unpickle
        pandas._libs.tslibs.offsets: __pyx_unpickle_BaseOffset _offset_unpickle Day Hour Minute Second MonthEnd
        pandas._libs.tslibs.offsets: MonthBegin YearEnd YearBegin Week BusinessDay QuarterEnd QuarterBegin
        pandas._libs.missing: NAType
        pandas.core.internals.managers: BlockManager SingleBlockManager
        pandas.core.internals.blocks: new_block
        pandas.core.dtypes.dtypes: CategoricalDtype DatetimeTZDtype PeriodDtype
        pandas.core.arrays.string_: StringDtype
        pandas.core.arrays.categorical: Categorical
        pandas.arrays: ArrowStringArray StringArray ArrowExtensionArray IntegerArray FloatingArray BooleanArray
        pandas.arrays: DatetimeArray TimedeltaArray PeriodArray IntervalArray SparseArray NumpyExtensionArray
        pyarrow.lib: type_for_alias _restore_array py_buffer
    """,
    "scipy": """
        scipy.optimize._optimize: OptimizeResult
        scipy.optimize: OptimizeResult
        scipy.optimize._lbfgsb_py: LbfgsInvHessProduct
    """,
    "sklearn": """
        sklearn.utils._bunch: Bunch
        sklearn.utils: Bunch
    """,
    "torch": """
        torch._utils: _rebuild_tensor _rebuild_tensor_v2 _rebuild_parameter _rebuild_parameter_with_state
        torch._utils: _rebuild_qtensor
        torch: Size device
        torch.serialization: _get_layout
    """,
    "xgboost": "xgboost.core: Booster",
    "lightgbm": "lightgbm.basic: Booster",
    "catboost": "",
    "statsmodels": "",
    "pmdarima": "",
    "imblearn": "",
    "category_encoders": "",
    "interpret": "",
    "feature_engine": "",
    "sklego": "",
    "mapie": "",
    "joblib": "",
}

REFERRED: dict[str, str] = {
    "python": """
        builtins: abs min max sum len round Ellipsis NotImplemented ValueError TypeError KeyError
        math: log exp sqrt log10 log2 log1p sin cos tan floor ceil
    """,
    "numpy": f"""
        numpy: {UFUNCS} {SCALARS} {_SUMMARIES} nan inf
        numpy.core._multiarray_umath: {UFUNCS}
        numpy.core.fromnumeric: {_SUMMARIES}
        numpy.lib.nanfunctions: {_SUMMARIES}
        numpy.lib._nanfunctions_impl: {_SUMMARIES}
        numpy.lib.function_base: {_SUMMARIES}
        numpy.lib._function_base_impl: {_SUMMARIES}
    """,
    "scipy": """
        scipy._lib.array_api_compat.numpy._aliases: asarray
        scipy.special: expit logit log1p expm1 xlogy gammaln erf erfinv
        scipy.special._ufuncs: expit logit log1p expm1 xlogy gammaln erf erfinv ndtr ndtri boxcox inv_boxcox
        scipy.special._special_ufuncs: expit logit log1p expm1 gammaln erf
    """,
    "sklearn": """
        sklearn.linear_model._base: identity
    """,
    "torch": """
        torch: float float16 float32 float64 bfloat16 double half int int8 int16 int32 int64 uint8 long short bool
        torch: complex64 complex128 strided contiguous_format channels_last preserve_format relu sigmoid tanh
        torch: softmax selu erf
        torch: FloatStorage DoubleStorage HalfStorage BFloat16Storage LongStorage IntStorage ShortStorage
        torch: CharStorage ByteStorage BoolStorage
        torch.storage: UntypedStorage TypedStorage
        torch.nn.functional: relu gelu silu elu selu leaky_relu softplus sigmoid tanh softmax log_softmax relu6 mish
        torch.nn.functional: hardtanh hardswish hardsigmoid celu glu logsigmoid softsign tanhshrink
        torch._C._nn: gelu silu mish
        torch._C: _nn
    """,
}

#: Package -> what of it: subpackages whose classes may be made; a "!" before what is left out again.
CLASSES: dict[str, str] = {
    "python": "",
    "numpy": "numpy.dtypes",
    "pandas": (
        "pandas.core.frame pandas.core.series pandas.core.indexes pandas.core.internals pandas.core.arrays "
        "pandas.core.dtypes.dtypes pandas.core.flags"
    ),
    "scipy": (
        "scipy.sparse scipy.interpolate scipy.spatial scipy.stats._distn_infrastructure scipy.stats._continuous_distns "
        "scipy.stats._discrete_distns !scipy.spatial.transform !scipy.sparse.linalg"
    ),
    "sklearn": (
        "sklearn.base sklearn.calibration sklearn.cluster sklearn.compose sklearn.covariance "
        "sklearn.cross_decomposition sklearn.decomposition sklearn.discriminant_analysis sklearn.dummy "
        "sklearn.ensemble sklearn.feature_extraction sklearn.feature_selection sklearn.frozen "
        "sklearn.gaussian_process sklearn.impute sklearn.isotonic sklearn.kernel_approximation sklearn.kernel_ridge "
        "sklearn.linear_model sklearn.manifold sklearn.metrics sklearn.mixture sklearn.model_selection "
        "sklearn.multiclass sklearn.multioutput sklearn.naive_bayes sklearn.neighbors sklearn.neural_network "
        "sklearn.pipeline sklearn.preprocessing sklearn.random_projection sklearn.semi_supervised sklearn.svm "
        "sklearn.tree sklearn._loss sklearn.utils._bunch sklearn.utils._metadata_requests sklearn.utils._encode "
        "sklearn.utils._random sklearn.utils.metadata_routing !sklearn.metrics._plot"
    ),
    "xgboost": "xgboost.sklearn xgboost.callback",
    "lightgbm": "lightgbm.sklearn lightgbm.callback",
    "catboost": "catboost.core",
    "statsmodels": (
        "statsmodels.base statsmodels.regression statsmodels.genmod statsmodels.discrete statsmodels.tsa "
        "statsmodels.robust statsmodels.duration statsmodels.gam statsmodels.iolib.summary statsmodels.tools.tools "
        "!statsmodels.tsa.x13"
    ),
    "pmdarima": "pmdarima.arima pmdarima.pipeline pmdarima.preprocessing pmdarima.base",
    "imblearn": (
        "imblearn.pipeline imblearn.ensemble imblearn.over_sampling imblearn.under_sampling imblearn.combine "
        "imblearn.base"
    ),
    "category_encoders": "category_encoders",
    "interpret": "interpret.glassbox interpret.utils interpret.api",
    "feature_engine": "feature_engine",
    "sklego": "sklego",
    "mapie": "mapie",
    "joblib": "joblib.numpy_pickle",
    "torch": "torch.nn.modules torch.nn.parameter torch.nn.quantized torch.ao.nn",
}

#: Packages whose functions may be pointed at: metrics, score functions, kernels.
FUNCTIONS: dict[str, str] = {
    "sklearn": (
        "sklearn.metrics sklearn.feature_selection sklearn.gaussian_process sklearn.cluster sklearn.neighbors "
        "sklearn.ensemble sklearn.preprocessing !sklearn.metrics._plot"
    ),
}

#: Which libraries belong to an MLflow flavour, beside Python, numpy, scipy and pandas.
_SKLEARN = (
    "sklearn imblearn category_encoders feature_engine sklego mapie interpret joblib xgboost lightgbm catboost "
    "pmdarima statsmodels"
)
FLAVOURS: dict[str, str] = {
    "sklearn": _SKLEARN,
    "xgboost": "xgboost sklearn",
    "lightgbm": "lightgbm sklearn",
    "catboost": "catboost sklearn",
    "statsmodels": "statsmodels",
    "pmdarima": "pmdarima statsmodels sklearn joblib",
    "pytorch": "torch",
    "prophet": "",
    "onnx": "",
    "keras": "",
    "spacy": "",
    "transformers": "",
    "sentence_transformers": "",
    "tensorflow": "",
    "python_function": _SKLEARN + " torch",
}
#: Classes that load as containers and are filled item by item.
CONTAINERS = frozenset(
    (
        *("collections.OrderedDict", "collections.defaultdict", "collections.deque", "collections.Counter"),
        *("builtins.dict", "builtins.list", "builtins.set", "sklearn.utils._bunch.Bunch", "sklearn.utils.Bunch"),
        *("scipy.optimize._optimize.OptimizeResult", "scipy.optimize.OptimizeResult"),
        "statsmodels.tools.tools.Bunch",
    )
)
