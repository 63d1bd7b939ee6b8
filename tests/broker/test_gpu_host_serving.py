"""What a registry entry becomes: a command line and variables, or a refusal in words."""

from dataclasses import replace

import pytest

from broker.gpu_host.serving import BadServer, Serving, check, command_line, environment

PLAIN = Serving(name="qwen", model_path="Qwen/Qwen3-8B", address="127.0.0.1", port=8101)
SERVE = ("vllm", "serve")
MODULE = ("python", "-m", "vllm.entrypoints.openai.api_server")


def test_a_plain_entry_becomes_vllm_serve() -> None:
    assert command_line(PLAIN, launcher=SERVE) == [
        *("vllm", "serve", "Qwen/Qwen3-8B"),
        *("--host", "127.0.0.1", "--port", "8101", "--dtype", "auto", "--gpu-memory-utilization", "0.9"),
    ]


def test_everything_that_the_registry_says_is_passed_on() -> None:
    full = replace(
        PLAIN,
        served_names=("qwen-8b", "qwen"),
        revision="main",
        dtype="bfloat16",
        max_model_len=4096,
        gpu_memory_share=0.45,
        extra_args=("--enforce-eager", "--max-num-seqs", "16"),
    )
    assert command_line(full, launcher=SERVE)[3:] == [
        *("--served-model-name", "qwen-8b", "qwen"),
        *("--host", "127.0.0.1", "--port", "8101", "--dtype", "bfloat16", "--gpu-memory-utilization", "0.45"),
        *("--revision", "main", "--max-model-len", "4096", "--enforce-eager", "--max-num-seqs", "16"),
    ]


def test_a_launcher_without_serve_gets_the_model_as_an_option() -> None:
    assert command_line(PLAIN, launcher=MODULE)[:5] == [*MODULE, "--model", "Qwen/Qwen3-8B"]


def test_the_key_is_a_variable_and_on_no_command_line_and_in_no_repr() -> None:
    keyed = replace(PLAIN, api_key="sk-canary")
    assert environment(keyed)["VLLM_API_KEY"] == "sk-canary"
    assert "VLLM_API_KEY" not in environment(PLAIN)
    assert "sk-canary" not in " ".join(command_line(keyed, launcher=SERVE)) + repr(keyed)


def test_usage_is_not_reported_to_anybody_unless_the_entry_says_so() -> None:
    assert environment(PLAIN)["VLLM_NO_USAGE_STATS"] == "1"
    assert environment(replace(PLAIN, environment={"VLLM_NO_USAGE_STATS": "0"}))["VLLM_NO_USAGE_STATS"] == "0"


@pytest.mark.parametrize("name", ["VLLM_CPU_KVCACHE_SPACE", "CUDA_VISIBLE_DEVICES", "HF_HUB_OFFLINE"])
def test_variables_of_the_server_may_be_set(name: str) -> None:
    check(replace(PLAIN, environment={name: "1"}))


@pytest.mark.parametrize(
    "changes",
    [
        {"environment": {"PATH": "/tmp"}},
        {"environment": {"LD_PRELOAD": "x.so"}},
        {"environment": {"PYTHONPATH": "/tmp"}},
        {"environment": {"VLLM_PLUGINS": "evil"}},
        {"environment": {"VLLM_API_KEY": "sk-1"}},
        {"environment": {"OMP_NUM_THREADS": 1}},
        {"extra_args": ("--max-num-seqs", 16)},
        {"model_path": "--trust-remote-code"},
    ],
)
def test_what_could_run_other_code_or_cannot_be_passed_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(BadServer):
        check(replace(PLAIN, **changes))  # type: ignore[arg-type]
