"""How a model server is started: from what the registry says of it to a command line. Values in, values out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

# The variables that a registry entry may set. Others decide what the process executes (PATH, PYTHONPATH,
# LD_PRELOAD), which is for whoever runs the host to say and not for whoever edits the registry.
ALLOWED = (
    "VLLM_",
    "CUDA_",
    "NCCL_",
    "NVIDIA_",
    "HIP_",
    "ROCR_",
    "HF_",
    "OMP_",
    "TORCH_",
    "PYTORCH_",
    "TOKENIZERS_",
)
# Among them, those that load code, and the key, which comes from the endpoint.
REFUSED = frozenset({"VLLM_PLUGINS", "VLLM_API_KEY", "VLLM_RUST_FRONTEND_PATH", "CUDA_INJECTION64_PATH"})


class BadServer(ValueError):
    """A registry entry that cannot be started as it is; the message is a sentence for whoever edits it."""


@dataclass(frozen=True)
class Serving:
    """One `vllm serve` process.

    served_names: what clients call the model; answers and metrics carry the first. Without any the path is the name.
    max_model_len: tokens, None for the model's own. gpu_memory_share: of one card, from 0 to 1.
    """

    name: str
    model_path: str
    address: str
    port: int
    served_names: tuple[str, ...] = ()
    revision: str = ""
    dtype: str = "auto"
    max_model_len: int | None = None
    gpu_memory_share: float = 0.9
    extra_args: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    api_key: str = field(default="", repr=False)


def command_line(serving: Serving, *, launcher: Sequence[str]) -> list[str]:
    """`vllm serve MODEL ...`. A launcher that does not end in `serve` (vLLM's older module form) gets --model."""
    positional = launcher[-1] == "serve"
    argv = [*launcher, *([] if positional else ["--model"]), serving.model_path]
    if serving.served_names:
        argv += ["--served-model-name", *serving.served_names]
    argv += ["--host", serving.address, "--port", str(serving.port), "--dtype", serving.dtype]
    argv += ["--gpu-memory-utilization", f"{serving.gpu_memory_share:g}"]
    if serving.revision:
        argv += ["--revision", serving.revision]
    if serving.max_model_len is not None:
        argv += ["--max-model-len", str(serving.max_model_len)]
    return [*argv, *serving.extra_args]


def environment(serving: Serving) -> dict[str, str]:
    """What the process gets besides its starter's variables. The key goes here: a command line can be read by all."""
    key = {"VLLM_API_KEY": serving.api_key} if serving.api_key else {}
    return {"VLLM_NO_USAGE_STATS": "1", **serving.environment, **key}


def check(serving: Serving) -> None:
    """Raises BadServer for what no start could mend."""
    if serving.model_path.startswith("-"):
        raise BadServer("The model's path must not begin with a dash.")
    if not all(isinstance(each, str) for each in serving.extra_args):
        raise BadServer("The further arguments must be a list of texts.")
    for name, value in serving.environment.items():
        if not name.startswith(ALLOWED) or name in REFUSED:
            raise BadServer(f"The variable {name} cannot be set from the registry.")
        if not isinstance(value, str):
            raise BadServer(f"The variable {name} must be a text.")
