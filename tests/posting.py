"""What a browser sends for a form as the page shows it: what is disabled or not ticked is left out."""

from html.parser import HTMLParser
from typing import Any

# Buttons are sent only by whoever presses them, and files only by whoever chooses one.
_NEVER_SENT = {"submit", "button", "reset", "image", "file"}


def posted(page: Any, **form: str) -> dict[str, list[str]]:
    """The names and values of the form with those attributes, such as its id, on the page of a response."""
    reader = _Form(form)
    reader.feed(page.content.decode())
    return reader.sent


class _Form(HTMLParser):
    """Reads the controls of one form (HTML 4.10.21.4, "constructing the entry list")."""

    def __init__(self, form: dict[str, str]) -> None:
        super().__init__()
        self.sent: dict[str, list[str]] = {}
        self._form = form
        self._is_inside = False
        self._aside = 0  # in templates, whose rows are not there yet
        self._text: list[str] | None = None
        self._name = ""
        self._is_many = False
        self._options: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "form" and self._form.items() <= found.items():
            self._is_inside = True
        self._aside += tag == "template"
        if not self._is_inside or self._aside or "disabled" in found:
            self._name = "" if tag in {"select", "textarea"} else self._name
            return
        name, value = found.get("name") or "", found.get("value")
        if tag == "input" and name:
            self._read_input(name, value, found)
        elif tag in {"select", "textarea"}:
            self._name, self._is_many, self._options = name, "multiple" in found, []
            self._text = [] if tag == "textarea" else None
        elif tag == "option" and self._name:
            self._options.append((value or "", "selected" in found))

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._aside -= tag == "template"
        if tag == "form":
            self._is_inside = False
        if tag == "textarea" and self._text is not None:
            # Browsers end lines with both, whatever the page had (HTML 4.10.21.8).
            self._add(self._name, "".join(self._text).removeprefix("\n").replace("\n", "\r\n"))
            self._text = None
        if tag == "select" and self._name:
            chosen = [value for value, is_selected in self._options if is_selected]
            # A list to choose one from shows its first choice where none is made.
            first = [] if self._is_many or chosen else [value for value, _is_selected in self._options[:1]]
            for value in [*chosen, *first]:
                self._add(self._name, value)
            self._name = ""

    def _read_input(self, name: str, value: str | None, found: dict[str, str | None]) -> None:
        kind = found.get("type") or "text"
        is_box = kind in {"checkbox", "radio"}
        if kind in _NEVER_SENT or (is_box and "checked" not in found):
            return
        self._add(name, "on" if is_box and value is None else value or "")

    def _add(self, name: str, value: str) -> None:
        if name:
            self.sent.setdefault(name, []).append(value)
