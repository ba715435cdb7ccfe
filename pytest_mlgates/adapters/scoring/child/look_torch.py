"""Looks at a torch model while it answers, in the process where it runs. Only the standard library at the top."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from typing import Any

#: Answers that are not counted: caches fill, and libraries load what they need.
_WARM_UP = 5


def look(loaded: dict[str, Any], told: dict[str, Any], frame: Callable[[Any, Any], Any]) -> dict[str, Any]:
    """What became of eval mode, gradients and state over `told["rounds"]` answers to `told["rows"]`.

    Gives lists of names, empty where all is well: `training` (modules in training mode), `graph` (modules whose output
    carries a gradient graph), `gradients` (parameters that got one), `changed` (parameters and buffers that are no
    longer what they were); and `tensors` and `objects`, how many there were after each counted answer. Raises
    ModuleNotFoundError without torch, ValueError for a model that holds no torch module.
    """
    import torch

    modules = list(_modules(loaded["model"], torch))
    if not modules:
        raise ValueError("the model holds no torch module")
    rows = frame(told["rows"], told["dtypes"])
    graph: set[str] = set()
    training = {_name(module) for module in modules if module.training}
    hooks = [module.register_forward_hook(_watching(graph, training, torch)) for module in modules]
    before = {key: _copy(value) for key, value in _state(modules)}
    counts: dict[str, list[int]] = {"tensors": [], "objects": []}
    try:
        for round_ in range(_WARM_UP + told["rounds"]):
            loaded["model"].predict(rows)
            gc.collect()
            if round_ >= _WARM_UP:
                objects = gc.get_objects()
                counts["tensors"].append(sum(isinstance(one, torch.Tensor) for one in objects))
                counts["objects"].append(len(objects))
                del objects
    finally:
        for hook in hooks:
            hook.remove()
    after = dict(_state(modules))
    changed = [key for key, value in before.items() if key not in after or not torch.equal(value, after[key])]
    parameters = [(f"{_name(m)}.{n}", p) for m in modules for n, p in m.named_parameters()]
    gradients = [name for name, parameter in parameters if parameter.grad is not None]
    names = {"training": sorted(training), "graph": sorted(graph), "gradients": gradients, "changed": changed}
    return {**names, "modules": [_name(module) for module in modules], **counts}


def _watching(graph: set[str], training: set[str], torch: Any) -> Any:
    def hook(module: Any, inputs: Any, output: Any) -> None:
        if module.training:
            training.add(_name(module))
        outputs = output if isinstance(output, (tuple, list)) else [output]
        if any(isinstance(one, torch.Tensor) and one.requires_grad for one in outputs):
            graph.add(_name(module))

    return hook


def _modules(model: Any, torch: Any) -> Iterator[Any]:
    """The outermost modules that `model` holds, wherever MLflow's wrappers or a person's class keep them."""
    seen: set[int] = set()
    places = [model]
    for _ in range(6):
        deeper = []
        for place in places:
            if id(place) in seen:
                continue
            seen.add(id(place))
            if isinstance(place, torch.nn.Module):
                yield place
            elif isinstance(place, (list, tuple)):
                deeper += list(place)
            elif isinstance(place, dict):
                deeper += list(place.values())
            elif hasattr(place, "__dict__"):
                deeper += list(vars(place).values())
        places = deeper


def _state(modules: list[Any]) -> Iterator[tuple[str, Any]]:
    for place, module in enumerate(modules):
        yield from ((f"{_name(module)}[{place}].{name}", value) for name, value in module.state_dict().items())


def _copy(value: Any) -> Any:
    return value.detach().clone() if hasattr(value, "detach") else value


def _name(module: Any) -> str:
    return type(module).__name__
