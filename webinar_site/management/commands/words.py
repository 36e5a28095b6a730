"""Brings new texts into the catalogues of every other language, and says which still lack words."""

from pathlib import Path
from typing import Any

from babel.messages.catalog import Message
from babel.messages.pofile import read_po
from django.conf import settings
from django.core.management import BaseCommand, call_command
from django.core.management.commands import makemessages

# Where texts are that organizers alone read. Everything else is seen by whoever visits, registers or gets a mail.
FOR_ORGANIZERS = (
    "events/admin/",
    "events/models/",
    "events/scheduling",
    "events/validators",
    "registrations/admin/",
    "registrations/models",
    "events/mail_rules",
    "registrations/mail_plan",
    "registrations/simulator",
    "templates/admin/",
    "templates/mailbox/",
    "webinar_site/doctor/",
    "webinar_site/settings",
)
NOT_OURS = [".venv", "var", "tests", "benchmarks", "staticfiles", "node_modules"]


class Extraction(makemessages.Command):
    """Django's own, which guesses no words from texts that look alike: a guess would have to be found and refused."""

    msgmerge_options = [*makemessages.Command.msgmerge_options, "--no-fuzzy-matching"]


class Command(BaseCommand):
    help = "Extract the texts of code and templates, and report what has no words yet. Needs GNU gettext."

    def handle(self, *_args: Any, **_options: Any) -> None:
        languages = [code for code, _name in settings.LANGUAGES if code != "en"]
        call_command(
            Extraction(),
            locale=languages,
            ignore_patterns=NOT_OURS,
            no_obsolete=True,
            no_wrap=True,
            add_location="file",
            verbosity=0,
        )
        for language in languages:
            self.report(settings.BASE_DIR / "locale" / language / "LC_MESSAGES" / "django.po", language)

    def report(self, path: Path, language: str) -> None:
        """Name every text for everybody that has no words; for organizers' texts a number is enough."""
        _drop_the_date(path)
        with path.open("rb") as file:
            catalog = read_po(file, locale=language)
        missing = [message for message in catalog if message.id and not has_words(message)]
        for_everybody = [message for message in missing if not is_for_organizers(message)]
        others = len(missing) - len(for_everybody)
        self.stdout.write(
            f"{language}: without words are {len(for_everybody)} texts for everybody, {others} for organizers."
        )
        for message in for_everybody:
            self.stdout.write(f"  {path.relative_to(settings.BASE_DIR)}:{message.lineno}: {_text(message)!r}")


def has_words(message: Message) -> bool:
    forms = [message.string] if isinstance(message.string, str) else message.string or ()
    return bool(forms) and all(forms) and not message.fuzzy


def is_for_organizers(message: Message) -> bool:
    return all(place.startswith(FOR_ORGANIZERS) for place, _line in message.locations)


def _text(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def _drop_the_date(path: Path) -> None:
    """The day of the extraction, which would change the file whenever nothing else has."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.startswith('"POT-Creation-Date')), encoding="utf-8")
