"""A program that takes vLLM's command line and is the stub server: `python pretended_vllm.py serve MODEL ...`.

VLLM_STUB_DELAY_S: what a call takes. It writes its command line and variables' names to stderr, for its log.
"""

import argparse
import os
import sys
from pathlib import Path

from aiohttp import web

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.stub_server import Stub  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("serve")
    parser.add_argument("model")
    parser.add_argument("--served-model-name", nargs="+", required=True)
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    asked, others = parser.parse_known_args()
    print("started with", *others, "seeing", *seen(), file=sys.stderr, flush=True)  # noqa: T201
    delay_s = float(os.environ.get("VLLM_STUB_DELAY_S", "0"))
    stub = Stub(delay_s=delay_s, models=asked.served_model_name, redirect_to="")
    web.run_app(stub.app(), host=asked.host, port=asked.port, print=None)


def seen() -> list[str]:
    """The variables that hold something."""
    return sorted(name for name, value in os.environ.items() if value)


if __name__ == "__main__":
    main()
