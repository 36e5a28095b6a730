"""Catalogues of other languages: whole for everybody's texts, and compiled only when nothing in them breaks a page."""

import ast
import functools
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.pofile import read_po
from django.conf import settings
from django.template import Engine, Library, Template
from django.template.backends.django import get_installed_libraries
from django.template.base import Node
from django.templatetags.i18n import BlockTranslateNode, TranslateNode
from django.utils.translation import ngettext, override, trim_whitespace

from webinar_site.management.commands.words import FOR_ORGANIZERS, has_words

ROOT = Path(__file__).resolve().parent.parent.parent
OTHER_LANGUAGES = [code for code, _name in settings.LANGUAGES if code != "en"]
COMPILE = ROOT / "scripts" / "compile_words.py"
# Names of gettext's functions, as our code imports them, and whether a context comes first.
LOOKUPS = {"_": 0, "gettext": 0, "gettext_lazy": 0, "ngettext": 0, "pgettext": 1, "pgettext_lazy": 1}
HEADER = """\
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: nplurals=6; plural=n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 : n%100>=11 ? 4 : 5;\\n"
"""
SIX_FORMS = "".join(f'msgstr[{number}] "{{{number}}}"\n' for number in range(6))

# allauth's own are there only where providers are: here it is enough that their names are known.
SOCIAL_TAGS = Library()
for _tag in ("get_providers", "provider_login_url"):
    SOCIAL_TAGS.simple_tag(lambda *_values, **_named: "", name=_tag)

Text = tuple[str, str]  # its context, or nothing, and itself


# ---------- every text has words ----------


@pytest.mark.parametrize("language", OTHER_LANGUAGES)
def test_every_text_for_everybody_has_words(language: str) -> None:
    with (settings.BASE_DIR / "locale" / language / "LC_MESSAGES" / "django.po").open("rb") as file:
        with_words = {_text_of(message) for message in read_po(file, locale=language) if has_words(message)}

    missing = {
        f"{path.relative_to(ROOT)}: {text[1]}" for path in _sources() for text in _texts(path) if text not in with_words
    }

    # `make words` brings them into the catalogue.
    assert sorted(missing) == []


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "لم يبق أي مكان"),
        (1, "بقي مكان واحد"),
        (2, "بقي مكانان"),
        (3, "بقيت 3 أماكن"),
        (10, "بقيت 10 أماكن"),
        (11, "بقي 11 مكانًا"),
        (63, "بقي 63 مكانًا"),
        (100, "بقي 100 مكان"),
        (103, "بقيت 103 أماكن"),
    ],
)
def test_arabic_counts_in_six_forms(number: int, words: str) -> None:
    with override("ar"):
        said = ngettext("%(count)d place left", "%(count)d places left", number) % {"count": number}

    assert said == words


def _sources() -> Iterator[Path]:
    """Code and templates whose texts are not for organizers alone."""
    for folder, patterns in (("events", ["*.py"]), ("registrations", ["*.py"]), ("templates", ["*.html", "*.txt"])):
        for path in (path for pattern in patterns for path in sorted((ROOT / folder).rglob(pattern))):
            place = path.relative_to(ROOT).as_posix()
            if not place.startswith(FOR_ORGANIZERS) and "/migrations/" not in place:
                yield path


def _texts(path: Path) -> Iterator[Text]:
    source = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        yield from _texts_of_code(ast.parse(source))
        return
    yield from _texts_of_template(Template(source, engine=_engine()))
    # A text in the arguments of another tag.
    yield from (("", text) for text in re.findall(r'_\("([^"]+)"\)', source))


@functools.cache
def _engine() -> Engine:
    """One that reads also the templates of sites where people sign in with accounts that they have elsewhere."""
    engine = Engine(libraries=get_installed_libraries())
    engine.template_libraries.setdefault("socialaccount", SOCIAL_TAGS)
    return engine


def _texts_of_code(tree: ast.AST) -> Iterator[Text]:
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        if isinstance(call.func, ast.Name) and call.func.id in LOOKUPS:
            contexts = LOOKUPS[call.func.id]
            words = [word.value for word in call.args[: contexts + 1] if isinstance(word, ast.Constant)]
            if len(words) == contexts + 1:
                yield (str(words[0]) if contexts else "", str(words[-1]))


def _texts_of_template(template: Template) -> Iterator[Text]:
    for node in template.nodelist.get_nodes_by_type(Node):
        if isinstance(node, TranslateNode):
            literal = node.filter_expression.var.literal
            if literal is not None:
                yield (_context_of(node), str(literal).replace("%", "%%"))
        elif isinstance(node, BlockTranslateNode):
            text, _names = node.render_token_list(node.singular)
            yield (_context_of(node), trim_whitespace(text) if node.trimmed else text)


def _context_of(node: TranslateNode | BlockTranslateNode) -> str:
    return str(node.message_context.var) if node.message_context else ""


def _text_of(message: Message) -> Text:
    return (message.context or "", message.id if isinstance(message.id, str) else message.id[0])


# ---------- compiling ----------


def compile_catalogue(folder: Path, messages: str) -> subprocess.CompletedProcess[str]:
    place = folder / "ar" / "LC_MESSAGES"
    place.mkdir(parents=True, exist_ok=True)
    (place / "django.po").write_text(f"{HEADER}\n{messages}", encoding="utf-8")
    return compile_again(folder)


def compile_again(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, COMPILE, folder], capture_output=True, text=True, check=False)


def compiled(folder: Path) -> Path:
    return folder / "ar" / "LC_MESSAGES" / "django.mo"


@pytest.mark.parametrize(
    "messages",
    [
        'msgid "Hello %(name)s"\nmsgstr "أهلًا %(name)s"\n',
        'msgid "Times are for {city}."\nmsgstr "بتوقيت {city}"\n',
        'msgid "<b>Now</b> by %(host)s"\nmsgstr "<b>الآن</b> <bdi>%(host)s</bdi>"\n',
        'msgid "Nobody gave it words"\nmsgstr ""\n',
        'msgid "%(count)d day"\nmsgid_plural "%(count)d days"\n'
        + SIX_FORMS.format("لا أيام", "يوم", "يومان", "%(count)d أيام", "%(count)d يومًا", "%(count)d يوم"),
    ],
    ids=["a name", "a city for the script", "isolated", "without words", "one and two in words"],
)
def test_words_without_fault_are_compiled(tmp_path: Path, messages: str) -> None:
    run = compile_catalogue(tmp_path, messages)

    assert (run.returncode, run.stderr) == (0, "")
    assert compiled(tmp_path).exists()


@pytest.mark.parametrize(
    ("messages", "fault"),
    [
        ('msgid "Hello %(name)s"\nmsgstr "أهلًا %(nmae)s"\n', "not in the text: %(nmae)s"),
        ('msgid "Hello %(name)s"\nmsgstr "أهلًا"\n', "left out: %(name)s"),
        ('msgid "Times are for {city}."\nmsgstr "بتوقيت {place}"\n', "not in the text: {place}"),
        ('msgid "<b>Now</b>"\nmsgstr "<b>الآن"\n', "left out: </b"),
        ('msgid "Offset"\nmsgstr "\u2066UTC"\n', "an invisible mark of isolation is not closed"),
        (
            'msgid "%(count)d day"\nmsgid_plural "%(count)d days"\n'
            + SIX_FORMS.format("لا أيام", "يوم", "يومان", "أيام", "%(count)d يومًا", "%(count)d يوم"),
            "left out: %(count)d",
        ),
        (
            'msgid "day"\nmsgid_plural "days"\n' + SIX_FORMS.format("أيام", "يوم", "", "أيام", "يومًا", "يوم"),
            "a plural form has no words",
        ),
        (
            'msgid "day"\nmsgid_plural "days"\nmsgstr[0] "يوم"\nmsgstr[1] "أيام"\n',
            "a plural form has no words",
        ),
        ('mgsid "Hello"\nmsgstr "أهلًا"\n', "misformatted"),
    ],
)
def test_words_with_a_fault_stop_the_compiling(tmp_path: Path, messages: str, fault: str) -> None:
    run = compile_catalogue(tmp_path, messages)

    assert run.returncode == 1
    assert fault in run.stderr
    assert not compiled(tmp_path).exists()


def test_the_sites_own_catalogues_have_no_fault(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "locale", tmp_path / "locale", ignore=shutil.ignore_patterns("*.mo"))

    run = compile_again(tmp_path / "locale")

    assert (run.returncode, run.stderr) == (0, "")


def test_what_has_not_changed_is_not_compiled_again(tmp_path: Path) -> None:
    compile_catalogue(tmp_path, 'msgid "Hello"\nmsgstr "أهلًا"\n')
    compiled(tmp_path).write_bytes(b"as it was")

    compile_again(tmp_path)

    assert compiled(tmp_path).read_bytes() == b"as it was"


def test_what_has_changed_is_compiled_again(tmp_path: Path) -> None:
    compile_catalogue(tmp_path, 'msgid "Hello"\nmsgstr "أهلًا"\n')
    before = compiled(tmp_path).read_bytes()
    os.utime(compiled(tmp_path), (0, 0))

    compile_catalogue(tmp_path, 'msgid "Hello"\nmsgstr "مرحبًا"\n')

    assert compiled(tmp_path).read_bytes() != before
