"""Imports point one way. The table of architecture.md, enforced over the source itself.

A new module is placed here first: one that stands in no row fails the test.
"""

import ast
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent
APPS = ("broker", "deliberation", "nsed_web")

# A module imports from rows below its own. The longest name that fits decides.
ROWS: dict[int, str] = {
    8: "nsed_web",
    7: "deliberation.views deliberation.consumers deliberation.tasks deliberation.admin"
    " deliberation.management deliberation.routing deliberation.urls deliberation.api"
    " deliberation.templatetags deliberation.apps"
    " broker.views broker.tasks broker.admin broker.management broker.urls broker.fleet_urls broker.apps",
    6: "broker.receipt_page broker.solving deliberation.orchestrator deliberation.staffing deliberation.guarding"
    " deliberation.sweeping deliberation.turn_taking deliberation.replaying deliberation.smoke_testing"
    " deliberation.row_checking deliberation.fork_checking deliberation.stills deliberation.forms_fork"
    " deliberation.forms_new deliberation.forms_panel deliberation.forms_files"
    " deliberation.watchers deliberation.parts deliberation.design_fixtures deliberation.forms"
    " deliberation.forms_sessions deliberation.forms_policies deliberation.forms_what_if deliberation.sign_in"
    " broker.forms broker.forms_reading broker.form_fields",
    5: "deliberation.services deliberation.selectors",
    4: "deliberation.models deliberation.events deliberation.live deliberation.trail deliberation.claims"
    " deliberation.presence deliberation.dispatch deliberation.record deliberation.state_words deliberation.rule_words",
    3: "broker.services broker.selectors broker.checks broker.keys",
    2: "broker.models broker.inference broker.telemetry broker.gpu_host broker.charts deliberation.prompts"
    " deliberation.charts deliberation.charts_what_if deliberation.rendering deliberation.inline_style",
    1: "deliberation.protocol broker.selection deliberation.formats deliberation.glossary",
}
# Arrows inside one row, each in this direction alone. Inside a package all are free.
WITHIN_A_ROW = {
    "deliberation.urls": "deliberation.views",
    "deliberation.orchestrator": "deliberation.staffing deliberation.guarding",
    "deliberation.staffing": "deliberation.guarding",
    "deliberation.routing": "deliberation.consumers",
    "deliberation.forms_fork": "deliberation.forms_panel",
    "deliberation.forms_new": "deliberation.forms_panel deliberation.forms_files",
    "deliberation.forms_panel": "deliberation.forms_sessions",
    "deliberation.forms_what_if": "deliberation.forms_policies",
    "deliberation.charts_what_if": "deliberation.charts",
    "deliberation.replaying": "deliberation.row_checking deliberation.fork_checking",
    "deliberation.fork_checking": "deliberation.row_checking",
    "deliberation.stills": "deliberation.parts",
    "deliberation.design_fixtures": "deliberation.parts",
    "deliberation.views": "deliberation.tasks",
    "deliberation.selectors": "deliberation.services",
    "deliberation.events": "deliberation.models deliberation.live deliberation.trail",
    "deliberation.claims": "deliberation.models",
    "deliberation.record": "deliberation.models",
    "deliberation.state_words": "deliberation.models",
    "broker.services": "broker.selectors broker.keys",
    "broker.selectors": "broker.keys",
    "broker.forms": "broker.form_fields",
    "broker.forms_reading": "broker.form_fields",
    "broker.urls": "broker.views",
    "broker.receipt_page": "broker.solving",
    "broker.fleet_urls": "broker.views",
}
# The commands that need workers for their own time ask for them.
UPWARDS = {("deliberation.management", "nsed_web.services"), ("broker.management", "nsed_web")}

# What pure packages may import beside the standard library and rows below. Nobody here knows Django.
PURE = {
    "deliberation.protocol": "",
    "deliberation.prompts": "json_repair",
    "deliberation.trail": "rfc8785",
    "deliberation.trail.verify": "",
    "deliberation.formats": "",
    "deliberation.glossary": "",
    "deliberation.charts": "",
    "deliberation.charts_what_if": "",
    "deliberation.rendering": "nh3 markdown_it mdit_py_plugins latex2mathml",
    "broker.inference": "aiohttp",
    "broker.inference.shared_window": "redis",
    "broker.telemetry": "prometheus_client",
    "broker.selection": "",
    "broker.selection.solver": "ortools",
    "broker.selection.own_floats": "numpy",
    "broker.gpu_host": "",
}
KEEPS_ASYNC = ("deliberation.consumers", "deliberation.live", "broker.inference")
# Importing OR-tools takes seconds, so the one importer does it when it is asked; and so with the one importer of numpy.
IMPORTS_INSIDE_FUNCTIONS = {("broker.selection.solver", "ortools"), ("broker.selection.own_votes", "broker")}


@dataclass(frozen=True)
class Module:
    name: str
    tree: ast.Module

    def imports(self, tree: ast.AST | None = None) -> set[str]:
        """Dotted names. `from broker import keys` is broker.keys."""
        found: set[str] = set()
        for node in ast.walk(tree or self.tree):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{self.name} imports relatively"
                found |= {f"{node.module}.{alias.name}" for alias in node.names}
        return found


@cache
def modules() -> tuple[Module, ...]:
    paths = (path for app in APPS for path in sorted((PROJECT / app).rglob("*.py")))
    return tuple(_read(path) for path in paths if "migrations" not in path.parts)


def _read(path: Path) -> Module:
    name = ".".join(path.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__")
    return Module(name, ast.parse(path.read_text()))


def placed(name: str) -> tuple[int, str] | None:
    """(row, the entry of ROWS that the name falls under), or None."""
    entries = [(row, entry) for row, text in ROWS.items() for entry in text.split() if _is_in(name, entry)]
    return max(entries, key=lambda each: len(each[1]), default=None)


def _is_in(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


# The rules: each tells what it finds wrong with one module.


def has_no_row(module: Module) -> set[str]:
    if module.name in APPS:
        return {f"imports {name}, but only marks the package" for name in module.imports()}
    return set() if placed(module.name) else {"stands in no row: say in ROWS where it belongs"}


def points_upwards(module: Module) -> set[str]:
    row, entry = placed(module.name) or (0, "")
    return {
        f"(row {row}) imports {name} (row {target[0]})"
        for name in module.imports()
        if (target := placed(name)) and not _may_import(entry, row=row, name=name, target=target)
    }


def _may_import(entry: str, *, row: int, name: str, target: tuple[int, str]) -> bool:
    is_beside = target[1] == entry or target[1] in WITHIN_A_ROW.get(entry, "").split()
    is_excepted = any(entry == source and _is_in(name, exception) for source, exception in UPWARDS)
    return target[0] < row or is_beside or is_excepted


def lets_the_broker_know_deliberation(module: Module) -> set[str]:
    if not _is_in(module.name, "broker"):
        return set()
    return {f"imports {name}" for name in module.imports() if _is_in(name, "deliberation")}


def is_not_pure(module: Module) -> set[str]:
    package = max((each for each in PURE if _is_in(module.name, each)), key=len, default=None)
    if package is None:
        return set()
    allowed = {*sys.stdlib_module_names, *APPS, *PURE[package].split()}
    return {f"imports {name}" for name in module.imports() if name.split(".")[0] not in allowed}


def ties_the_verifier_to_us(module: Module) -> set[str]:
    """It is copied into every export, and has to run there."""
    if module.name != "deliberation.trail.verify":
        return set()
    return {f"imports {name}" for name in module.imports() if name.split(".")[0] in APPS}


def is_async_elsewhere(module: Module) -> set[str]:
    if any(_is_in(module.name, package) for package in KEEPS_ASYNC):
        return set()
    kinds = (ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith, ast.Await)
    lines = {f"line {node.lineno}" for node in ast.walk(module.tree) if isinstance(node, kinds)}
    return lines | {f"imports {name}" for name in module.imports() if _is_in(name, "asyncio")}


def sends_past_live(module: Module) -> set[str]:
    """From a thread async_to_sync(group_send) opens a connection to Redis for every call; live.publish does
    not.
    """
    if module.name == "deliberation.live":
        return set()
    named = {f"imports {name}" for name in module.imports() if name.endswith("async_to_sync")}
    attributes = (node for node in ast.walk(module.tree) if isinstance(node, ast.Attribute))
    return named | {
        f"line {each.lineno} calls group_send" for each in attributes if each.attr == "group_send"
    }


def hides_an_import(module: Module) -> set[str]:
    functions = (
        node for node in ast.walk(module.tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    hidden = ((function.name, name) for function in functions for name in module.imports(function))
    return {
        f"{function}() imports {name}"
        for function, name in hidden
        if (module.name, name.split(".")[0]) not in IMPORTS_INSIDE_FUNCTIONS
    }


RULES = (
    has_no_row,
    points_upwards,
    lets_the_broker_know_deliberation,
    is_not_pure,
    ties_the_verifier_to_us,
    is_async_elsewhere,
    sends_past_live,
    hides_an_import,
)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_no_module(rule: Callable[[Module], set[str]]) -> None:
    found = [f"{module.name} {what}" for module in modules() for what in sorted(rule(module))]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("rule", "name", "source"),
    [
        (has_no_row, "deliberation.helpers", ""),
        (has_no_row, "broker", "import os"),
        (points_upwards, "deliberation.protocol.tally", "from deliberation import models"),
        (points_upwards, "deliberation.services.turns", "from deliberation.tasks import advance"),
        (points_upwards, "deliberation.services.turns", "import deliberation.selectors.room"),
        (points_upwards, "deliberation.views.room", "from deliberation import urls"),
        (points_upwards, "deliberation.views.room", "from nsed_web.services import attach"),
        (points_upwards, "broker.models", "import broker.services"),
        (lets_the_broker_know_deliberation, "broker.services", "import deliberation.models"),
        (is_not_pure, "broker.selection.panel", "from ortools.sat import cp_model"),
        (is_not_pure, "broker.inference.base", "from django.conf import settings"),
        (ties_the_verifier_to_us, "deliberation.trail.verify", "from deliberation.trail import chain"),
        (is_async_elsewhere, "deliberation.orchestrator", "async def advance(): ..."),
        (is_async_elsewhere, "deliberation.orchestrator", "import asyncio"),
        (sends_past_live, "deliberation.views.room", "from asgiref.sync import async_to_sync"),
        (sends_past_live, "deliberation.consumers", "layer.group_send('x', {})"),
        (hides_an_import, "deliberation.services.turns", "def f():\n    from deliberation import tasks"),
    ],
)
def test_a_rule_finds_what_it_is_there_for(
    rule: Callable[[Module], set[str]], name: str, source: str
) -> None:
    assert rule(Module(name, ast.parse(source)))
