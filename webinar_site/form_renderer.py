"""Writes the plain inputs of forms without templates: Django draws each one with three of them, ten times as slowly."""

from typing import Any

from django.forms.renderers import DjangoTemplates
from django.http import HttpRequest
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

_FOLDER = "django/forms/widgets/"
_INPUTS = {f"{_FOLDER}{name}.html" for name in ("text", "email", "number", "hidden", "checkbox", "password", "url")}
# Alone they are plain inputs, too; with their label around them they are left to Django.
_OPTIONS = {f"{_FOLDER}{name}.html" for name in ("radio_option", "checkbox_option")}


class PlainInputs(DjangoTemplates):
    """Django's own renderer, which writes the same to the letter and asks no template for an `<input>`."""

    def render(self, template_name: str, context: dict[str, Any], request: HttpRequest | None = None) -> str:
        widget = context.get("widget", {})
        if template_name in _INPUTS or (template_name in _OPTIONS and not widget.get("wrap_label")):
            return _input(widget)
        return super().render(template_name, context, request)


def _input(widget: dict[str, Any]) -> SafeString:
    attributes = {"type": widget["type"], "name": widget["name"]}
    if widget["value"] is not None:
        attributes["value"] = str(widget["value"])
    # Django writes what a widget adds after these, be it the same attribute a second time.
    written = [*attributes.items(), *widget["attrs"].items()]
    return mark_safe(f"<input{''.join(_attribute(name, value) for name, value in written)}>")  # noqa: S308 - escaped


def _attribute(name: str, value: Any) -> str:
    if value is False:
        return ""
    name = conditional_escape(name)
    return f" {name}" if value is True else f' {name}="{conditional_escape(str(value))}"'
