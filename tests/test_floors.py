"""The floor plan: who may import whom. An import in the wrong direction, or hidden in a function, fails here."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
APPS = ("webinar_site", "registrations", "events")
FILES = sorted(path for app in APPS for path in (ROOT / app).rglob("*.py") if "migrations" not in path.parts)
# `webinar_site` wires both apps; the apps import only what stands below them.
MAY_IMPORT = {
    "events": {"events"},
    "registrations": {"registrations", "events"},
    "webinar_site": {"webinar_site", "registrations", "events"},
}
# Django wants receivers connected when the app is ready, and its modules are not importable before.
LATE_IMPORTS = {("registrations/apps.py", "registrations")}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_downwards(path):
    name = path.relative_to(ROOT).as_posix()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    app = name.split("/")[0]

    for module in imported_modules(tree.body):
        assert module not in APPS or module in MAY_IMPORT[app], f"{name} imports {module}"
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for module in imported_modules(ast.walk(function)):
                assert module not in APPS or (name, module) in LATE_IMPORTS, f"{name} hides an import of {module}"


def imported_modules(nodes):
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]


def test_the_floor_plan_looks_at_real_files():
    assert len(FILES) > 30
