"""Inputs written without templates are Django's own, letter for letter."""

import pytest
from django import forms
from django.forms.renderers import DjangoTemplates
from django.utils.safestring import mark_safe

from webinar_site.form_renderer import PlainInputs

CHOICES = [("a", "A & B"), ("<b>", "<i>B</i>")]


@pytest.mark.parametrize(
    ("widget", "value"),
    [
        (forms.TextInput(), None),
        (forms.TextInput(), ""),
        (forms.TextInput(attrs={"autocomplete": "name", "required": True, "disabled": False}), "A \"<b>\" & 'c'"),
        (forms.TextInput(attrs={"title": mark_safe("a &amp; b"), "data-count": 12345.5}), mark_safe("&lt;")),
        (forms.EmailInput(attrs={'x"': "<"}), "somebody@example.org"),
        (forms.NumberInput(attrs={"step": 0.5}), 1234567.25),
        (forms.HiddenInput(), 0),
        (forms.PasswordInput(), "secret"),
        (forms.URLInput(), "https://example.org/?a=1&b=2"),
        (forms.CheckboxInput(), True),
        (forms.CheckboxInput(), False),
        (forms.RadioSelect(choices=CHOICES), "<b>"),
        (forms.CheckboxSelectMultiple(choices=CHOICES), ["a"]),
        (forms.Select(choices=CHOICES), "a"),
        (forms.Textarea(attrs={"rows": 4}), "</textarea>"),
        (forms.MultiWidget([forms.TextInput(), forms.NumberInput()]), ["a", 3]),
    ],
)
def test_every_widget_is_as_django_writes_it(widget, value):
    attrs = {"id": "id_field", "aria-describedby": "hint"}

    assert widget.render("field", value, attrs, PlainInputs()) == widget.render(
        "field", value, attrs, DjangoTemplates()
    )


def test_a_choice_without_its_label_is_as_django_writes_it():
    class Form(forms.Form):
        field = forms.ChoiceField(choices=CHOICES, widget=forms.RadioSelect(attrs={"class": "choice"}))

    def tags(renderer):
        return [str(choice.tag()) for choice in Form({"field": "a"}, renderer=renderer)["field"]]

    assert tags(PlainInputs()) == tags(DjangoTemplates())


def test_forms_of_the_site_are_written_so(settings):
    class Form(forms.Form):
        name = forms.CharField()

    assert isinstance(Form().renderer, PlainInputs)
