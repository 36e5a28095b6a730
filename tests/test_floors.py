"""The floor plan: who may import whom. An import in the wrong direction, or hidden in a function, fails here.

The README's "The house" shows the same plan.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
APPS = ("webinar_site", "registrations", "events")
FILES = sorted(path for app in APPS for path in (ROOT / app).rglob("*.py") if "migrations" not in path.parts)
# Those inside the two apps, without the apps themselves.
MODULES = [
    path
    for path in FILES
    if path.relative_to(ROOT).parts[0] != "webinar_site" and path.relative_to(ROOT).parts[1] != "__init__.py"
]
# `webinar_site` wires both apps; the apps import only what stands below them.
MAY_IMPORT = {
    "events": {"events"},
    "registrations": {"registrations", "events"},
    "webinar_site": {"webinar_site", "registrations", "events"},
}
# Django wants receivers connected when the app is ready, and its modules are not importable before.
LATE_IMPORTS = {("registrations.apps", "registrations.receivers")}

# The floors inside each app, the lowest first. A package such as models or admin is one module here.
FLOORS = {
    "events": (
        {
            "timezones",
            "links",
            "signals",
            "palette",
            "calendar_links",
            "content_policy",
            "freshness",
            "pictures",
            "statements",
            "email_addresses",
            "limits",
        },  # what knows no row
        {"formats", "validators", "players", "reader"},
        {"fields", "forms", "querysets", "meridian", "templatetags"},
        {"models"},
        {
            "access",
            "addresses",
            "availability",
            "conditions",
            "calendars",
            "replays",
            "scheduling",
            "search",
            "ical",
            "guest_lists",
            "lookup",
            "mail_rules",
            "page_cookies",
            "related",
        },  # acts, and what can be read off the rows
        {"choices", "visibility", "zone_rules"},
        {"landing"},
        {"listing", "syndication"},
        {"views", "admin", "tasks", "management"},  # doors
        {"urls", "apps"},
    ),
    "registrations": (
        {"querysets", "same_origin", "doorbell", "questions", "names", "stamps", "sign_in_limits"},
        {"models"},
        {"stops"},
        {
            "tokens",
            "reply_addresses",
            "forms",
            "outbox",
            "offers",
            "transport",
            "marking",
            "mime",
            "mailbox",
            "doors",
            "codes",
            "tallies",
            "thinning",
            "consent",
            "mail_plan",
        },  # parts
        {"invites", "letters", "answers", "exports", "probes"},
        # under the locks of an act; letters: rendered for many, and needed no more; all the entries of one person
        {"places", "drafts", "pointless", "own_calendar", "earning"},
        {
            "emails",
            "signup",
            "surveys",
            "notifications",
            "mailings",
            "attendance",
            "announcements",
        },  # one message each, and acts
        # mails on their way, and what they will be; the end of a registration
        {"delivery", "correspondence", "erasure", "simulator"},
        {"pages", "accounts", "inbound"},
        {"views", "admin", "receivers", "tasks", "social", "management"},  # doors
        {"urls", "mailbox_urls", "apps"},
    ),
}
# The few imports between modules of one floor. Each makes its floor harder to read: better none than some.
SIDEWAYS: set[tuple[str, str]] = set()


def imported_modules(tree: ast.AST) -> Iterator[str]:
    """What a piece of code imports, each with its dots: `from events import links` is events.links."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module in APPS:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            # Nobody here climbs by dots, which would hide where one stands.
            assert node.level == 0, ast.unparse(node)
            yield node.module or ""


def types_alone(tree: ast.AST) -> set[str]:
    """What is imported for annotations, and never when the code runs."""
    blocks = [node for node in ast.walk(tree) if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    return {module for block in blocks for module in imported_modules(block)}


def on_the_plan(module: str) -> str:
    """The module as FLOORS has it: events.models.hosts is events.models."""
    return ".".join(module.split(".")[:2])


def floor_of(module: str) -> int | None:
    app, _, name = module.partition(".")
    return next((number for number, names in enumerate(FLOORS[app], start=1) if name in names), None)


def read(path: Path) -> tuple[str, ast.Module]:
    """The module's name with its dots, and its code."""
    name = path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__")
    return name, ast.parse(path.read_text(encoding="utf-8"))


def names_of(paths: list[Path]) -> list[str]:
    return [path.relative_to(ROOT).as_posix() for path in paths]


@pytest.mark.parametrize("path", FILES, ids=names_of(FILES))
def test_apps_import_in_one_direction(path: Path) -> None:
    module, tree = read(path)
    app = module.split(".")[0]

    for imported in imported_modules(tree):
        imported_app = imported.split(".")[0]
        assert imported_app not in APPS or imported_app in MAY_IMPORT[app], f"{module} imports {imported}"


@pytest.mark.parametrize("path", FILES, ids=names_of(FILES))
def test_no_import_of_ours_hides_in_a_function(path: Path) -> None:
    module, tree = read(path)

    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for imported in imported_modules(function):
                assert imported.split(".")[0] not in APPS or (module, imported) in LATE_IMPORTS, (
                    f"{module} hides an import of {imported}"
                )


@pytest.mark.parametrize("path", MODULES, ids=names_of(MODULES))
def test_modules_import_only_from_floors_below(path: Path) -> None:
    name, tree = read(path)
    module = on_the_plan(name)
    floor = floor_of(module)
    assert floor is not None, f"{module} stands on no floor. Give it one in FLOORS, and in the README."

    own = {on_the_plan(imported) for imported in set(imported_modules(tree)) - types_alone(tree)}
    own = {imported for imported in own if imported.split(".")[0] == module.split(".")[0]} - {module}

    not_below = {imported for imported in own if (floor_of(imported) or floor) >= floor}
    assert not_below <= {imported for importer, imported in SIDEWAYS if importer == module}, (
        f"{module}, on floor {floor}, imports what does not stand below it: {', '.join(sorted(not_below))}"
    )


def test_the_plan_names_modules_that_there_are() -> None:
    there = {on_the_plan(read(path)[0]) for path in MODULES}

    planned = [f"{app}.{name}" for app, floors in FLOORS.items() for names in floors for name in names]

    assert sorted(planned) == sorted(there)


# What makes a broker hold a task for its hour (docs/decisions/0025). Celery's own repetitions do so too.
HOLDS_BACK = {"countdown", "eta", "autoretry_for", "default_retry_delay", "retry_backoff"}
# `send_task` takes both without their names, after the task, its arguments and its keywords.
SENDS_AT_ONCE_WITH = 3


def held_back(tree: ast.AST) -> Iterator[str]:
    """What in a piece of code would wait in the broker for a later hour."""
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg in HOLDS_BACK:
            yield node.arg
        elif isinstance(node, ast.Dict):
            keys = (key.value for key in node.keys if isinstance(key, ast.Constant))
            yield from (str(key) for key in keys if key in HOLDS_BACK)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "send_task":
            yield from (ast.unparse(late) for late in node.args[SENDS_AT_ONCE_WITH:])


@pytest.mark.parametrize("path", FILES, ids=names_of(FILES))
def test_nothing_waits_in_the_broker_for_its_hour(path: Path) -> None:
    _module, tree = read(path)

    assert list(held_back(tree)) == []


@pytest.mark.parametrize(
    "code",
    [
        "remind.apply_async(args=[7], countdown=3600)",
        "remind.signature(args=[7], eta=starts_at)",
        "remind.apply_async(args=[7], **{'eta': starts_at})",
        "app.send_task('remind', [7], {}, 3600)",
        "SCHEDULE = {'remind': {'task': 'remind', 'options': {'countdown': 3600}}}",
        "@shared_task(autoretry_for=(OSError,))\ndef remind(): ...",
    ],
)
def test_whatever_would_wait_there_is_found(code: str) -> None:
    assert len(list(held_back(ast.parse(code)))) == 1
