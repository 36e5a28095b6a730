"""Compiles every template, since a misspelt tag would else be found by the first person who gets that mail."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webinar_site.settings")
# Some templates are for sites where people sign in with others' accounts too: their tags are there only then.
os.environ |= {"SOCIAL_PROVIDERS": "google", "GOOGLE_CLIENT_ID": "none", "GOOGLE_CLIENT_SECRET": "none"}

import django  # noqa: E402 - the path comes first
from django.template import TemplateSyntaxError  # noqa: E402
from django.template.loader import get_template  # noqa: E402


def main() -> None:
    django.setup()
    folder = ROOT / "templates"
    broken = []
    for path in sorted(path for path in folder.rglob("*") if path.suffix in {".html", ".txt", ".xml", ".ics"}):
        try:
            get_template(str(path.relative_to(folder)))
        except (TemplateSyntaxError, UnicodeDecodeError) as error:
            broken.append(f"{path.relative_to(ROOT)}: {error}")
    if broken:
        sys.exit("\n".join(broken))


if __name__ == "__main__":
    main()
