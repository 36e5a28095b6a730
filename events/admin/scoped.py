"""What every admin page of a host's things has in common: organizers meet their own hosts' objects and nothing else."""

from collections.abc import Iterable, Mapping, Sequence
from html import unescape
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.actions import delete_selected
from django.core.exceptions import ValidationError
from django.db import models
from django.forms.models import BaseInlineFormSet, ModelChoiceField, ModelMultipleChoiceField
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, StackedInline, TabularInline
from unfold.contrib.filters.admin import DropdownFilter
from unfold.forms import PaginationInlineFormSet
from unfold.widgets import UnfoldAdminSelect2MultipleWidget, UnfoldAdminSelect2Widget, UnfoldAdminURLInputWidget

from events import validators
from events.access import Access, Role, access_of
from events.admin import widgets
from events.fields import RichTextField, TimeZoneField
from events.models import Host, Partner, Presenter, Series, Session, Webinar

# How a choice in a form leads to its host.
HOST_PATHS: Mapping[type[models.Model], str] = {
    Host: "pk",
    Partner: "host",
    Presenter: "host",
    Series: "host",
    Session: "webinar__host",
    Webinar: "host",
}

FORMFIELDS: dict[Any, dict[str, Any]] = {
    RichTextField: {"widget": widgets.RichTextWidget},
    TimeZoneField: {"widget": widgets.TimeZoneWidget},
    models.DateField: {"widget": widgets.DateWidget},
    models.TimeField: {"widget": widgets.TimeWidget},
    models.URLField: {"widget": UnfoldAdminURLInputWidget, "assume_scheme": "https"},
}

OTHER_HOST = _("This belongs to another host.")


def host_id_of(subject: models.Model, host_path: str) -> int | None:
    """The key of the host that a path such as "webinar__host" leads to, None where the way ends before."""
    target: Any = subject
    *steps, last = host_path.split("__")
    for step in steps:
        target = getattr(target, step, None)
        if target is None:
            return None
    key: int | None = target.pk if last == "pk" else getattr(target, f"{last}_id")
    return key


def as_read(escaped: str) -> SafeString:
    """A rich text as it looks; Unfold hands over its source, escaped."""
    html = validators.rich_text(unescape(escaped))
    return SafeString(f'<div class="rich-text-read">{html}</div>')


class SameHostFormSet(PaginationInlineFormSet):
    """Rows that may only name things of the host that the page belongs to."""

    host_path: ClassVar[str] = "host"
    # Said when a row is no more that the page was made with: Django says it of its unseen key alone.
    changed_meanwhile: ClassVar[Any] = _("Somebody has changed these rows meanwhile: load the page again.")

    def clean(self) -> None:
        super().clean()
        gone = [form for form in self.initial_forms if form.instance.pk is None]
        if any(not (self.can_delete and self._should_delete_form(form)) for form in gone):
            raise ValidationError(self.changed_meanwhile, code="stale")
        host_id = host_id_of(self.instance, self.host_path)
        for form in self.forms:
            # A refusal takes its field out of what was cleaned.
            for name, chosen in list(getattr(form, "cleaned_data", {}).items()):
                if name == self.fk.name or not isinstance(chosen, models.Model):
                    continue
                path = HOST_PATHS.get(type(chosen))
                if path is not None and host_id_of(chosen, path) != host_id:
                    form.add_error(name, OTHER_HOST)


class _Choices:
    """Narrows the choices of a form's relations to one host, or to all that may be edited."""

    def __init__(self, access: Access, host_id: int | None) -> None:
        self._access = access
        self._host_id = host_id

    def narrow(self, fields: Mapping[str, forms.Field]) -> None:
        for form_field in fields.values():
            if isinstance(form_field, ModelChoiceField) and form_field.queryset is not None:
                self._narrow_field(form_field, form_field.queryset)

    def _narrow_field(self, form_field: "ModelChoiceField[Any]", queryset: models.QuerySet[Any]) -> None:
        path = HOST_PATHS.get(queryset.model)
        if path is None:
            return
        if self._host_id is not None:
            queryset = queryset.filter(**{path: self._host_id})
        else:
            queryset = queryset.filter(self._access.among(path, at_least=Role.EDITOR))
        form_field.queryset = queryset
        # Read once for the page, not once for each row of an inline.
        rows = [(row.pk, str(row)) for row in _readable(queryset)]
        if isinstance(form_field, ModelMultipleChoiceField):
            form_field.choices = rows
            return
        if queryset.model is Host and len(rows) == 1:
            form_field.initial = rows[0][0]
            form_field.choices = rows
        else:
            form_field.choices = [("", _("Select value")), *rows]


def _readable(queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
    """With what the rows' names need."""
    if queryset.model is Presenter:
        return queryset.prefetch_related("affiliations")
    if queryset.model is Session:
        return queryset.select_related("webinar")
    return queryset


def is_key(text: str) -> bool:
    """Whether the text of an address can be the key of a row: no database takes what is longer."""
    return text.isascii() and text.isdecimal() and len(text) < 19


class HostFilter(DropdownFilter):
    """Which of one's own hosts; absent where there is only one."""

    title = _("host")
    parameter_name = "host"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        hosts = Host.objects.filter(access_of(request).among("pk"))
        return [(str(pk), name) for pk, name in hosts.values_list("pk", "name")]

    def has_output(self) -> bool:
        return len(self.lookup_choices) > 1

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        value = self.value()
        if not value or not is_key(value):
            return queryset
        return queryset.filter(**{self.host_path: value})

    host_path = "host"

    @classmethod
    def along(cls, host_path: str) -> type["HostFilter"]:
        """The same filter for rows that are further from their host."""
        return type("HostFilter", (cls,), {"host_path": host_path})


class HostScopedAdmin(ModelAdmin):
    """A page whose rows belong to a host.

    Lists, searches, choices, pages by a guessed id, actions and history all start from `get_queryset`, which knows
    only the hosts of the reader. Viewers look; `edit_role` and above change.
    """

    host_path: ClassVar[str] = "host"
    edit_role: ClassVar[Role] = Role.EDITOR
    # Said instead of deleting when people depend on it.
    protected_message: ClassVar[Any] = ""

    formfield_overrides = FORMFIELDS
    actions: Sequence[str] = ["delete_selected"]
    list_filter_submit = True
    warn_unsaved_form = True
    compressed_fields = False

    @property
    def readonly_preprocess_fields(self) -> dict[str, Any]:
        """Whoever only looks reads rich texts as they are read on the site."""
        return {field.name: as_read for field in self.opts.fields if isinstance(field, RichTextField)}

    # ---------- who may ----------

    def has_module_permission(self, request: HttpRequest) -> bool:
        return access_of(request).may_somewhere()

    def has_view_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return self._may(request, obj, Role.VIEWER)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return access_of(request).may_somewhere(at_least=self.edit_role)

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return self._may(request, obj, self.edit_role)

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return self._may(request, obj, self.edit_role)

    def _may(self, request: HttpRequest, obj: models.Model | None, role: Role) -> bool:
        access = access_of(request)
        if obj is None:
            return access.may_somewhere(at_least=role)
        return access.may(host_id_of(obj, self.host_path), at_least=role)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        return super().get_queryset(request).filter(access_of(request).among(self.host_path))

    def editable(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        """Those rows that the reader may change, for actions on many."""
        return queryset.filter(access_of(request).among(self.host_path, at_least=self.edit_role))

    # ---------- what may be chosen ----------

    def get_form(self, request: HttpRequest, obj: models.Model | None = None, *args: Any, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, *args, **kwargs)
        host_id = host_id_of(obj, self.host_path) if obj else None
        _Choices(access_of(request), host_id).narrow(form.base_fields)
        host_field = form.base_fields.get("host")
        if host_field is not None:
            # The host is chosen among one's own, never made or changed from here.
            for button in ("can_add_related", "can_change_related", "can_view_related"):
                setattr(host_field.widget, button, False)
        return form

    def get_readonly_fields(self, request: HttpRequest, obj: models.Model | None = None) -> list[str]:
        """Nothing moves to another host: what hangs on it would stay behind, and its people would change hands."""
        fields = list(super().get_readonly_fields(request, obj))
        return [*fields, "host"] if obj is not None and self.host_path == "host" else fields

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        kwargs.setdefault("widget", UnfoldAdminSelect2Widget())
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        widget = UnfoldAdminSelect2MultipleWidget()
        classes = widget.attrs["class"]
        form_field: Any = super().formfield_for_manytomany(db_field, request, **{"widget": widget, **kwargs})
        if form_field is not None:
            # Unfold dresses every such list as a plain one, and Django explains which keys to hold down in it.
            form_field.widget.attrs["class"] = classes
            form_field.help_text = db_field.help_text
        return form_field

    def get_prepopulated_fields(self, request: HttpRequest, obj: models.Model | None = None) -> Any:
        """The address follows the title until it is saved: from then on somebody may have it."""
        return {} if obj is not None else super().get_prepopulated_fields(request, obj)

    # ---------- deleting ----------

    @admin.action(description=_("Delete the selected"), permissions=["delete"])
    def delete_selected(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> HttpResponse | None:
        if self._is_protected(queryset, request):
            self.message_user(request, self.why_protected(list(queryset)), messages.ERROR)
            return None
        question = delete_selected(self, request, queryset)
        if isinstance(question, TemplateResponse) and question.context_data is not None:
            question.context_data["consequences"] = self.consequences(list(queryset))
        return question

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        obj = self.get_object(request, object_id)
        if obj is not None and self.has_delete_permission(request, obj) and self._is_protected([obj], request):
            self.message_user(request, self.why_protected([obj]), messages.ERROR)
            return HttpResponseRedirect(
                reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[obj.pk])
            )
        said = {"consequences": self.consequences([obj] if obj is not None else [])}
        return super().delete_view(request, object_id, {**(extra_context or {}), **said})

    def consequences(self, rows: Sequence[Any]) -> list[str]:
        """What whoever is about to delete these rows should know, beside which rows go with them."""
        return []

    def why_protected(self, rows: Sequence[models.Model]) -> str:
        """Why these rows cannot be deleted."""
        return str(self.protected_message)

    def is_in_use(self, obj: models.Model) -> bool:
        """Whether people depend on it, so that its page does not offer to delete it."""
        return False

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        obj = context.get("original")
        if obj is not None and self.is_in_use(obj):
            context["show_delete"] = False
        return super().render_change_form(request, context, *args, **kwargs)

    def _is_protected(self, rows: Iterable[models.Model], request: HttpRequest) -> bool:
        if not self.protected_message:
            return False
        *_rest, protected = self.get_deleted_objects(list(rows), request)
        return bool(protected)


class _HostScopedInline:
    """Rows that are changed on their parent's page, by whoever may change the parent."""

    host_path: ClassVar[str] = "host"
    edit_role: ClassVar[Role] = Role.EDITOR
    # Said instead of deleting a row on which something else depends.
    protected_message: ClassVar[Any] = ""

    formfield_overrides = {**FORMFIELDS}
    formset = SameHostFormSet
    extra = 0

    def has_view_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return self._may(request, obj, Role.VIEWER)

    def has_add_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return self._may(request, obj, self.edit_role)

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return self._may(request, obj, self.edit_role)

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return self._may(request, obj, self.edit_role)

    def _may(self, request: HttpRequest, parent: models.Model | None, role: Role) -> bool:
        access = access_of(request)
        if parent is None:
            return access.may_somewhere(at_least=role)
        return access.may(host_id_of(parent, self.host_path), at_least=role)

    def get_formset(self, request: HttpRequest, obj: models.Model | None = None, **kwargs: Any) -> Any:
        formset: type[BaseInlineFormSet[Any, Any, Any]] = super().get_formset(request, obj, **kwargs)  # type: ignore[misc]
        formset.form = self._with_own_words(formset.form)
        formset.host_path = self.host_path  # type: ignore[attr-defined]
        host_id = host_id_of(obj, self.host_path) if obj else None
        _Choices(access_of(request), host_id).narrow(formset.form.base_fields)
        return formset

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        kwargs.setdefault("widget", UnfoldAdminSelect2Widget())
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]

    def _with_own_words(self, form_class: Any) -> Any:
        """Django's refusal lists everybody whose rows are in the way; ours says what to do."""
        message = self.protected_message
        if not message:
            return form_class

        class RefusingForm(form_class):
            def hand_clean_DELETE(self) -> None:  # noqa: N802 - Django's name
                try:
                    super().hand_clean_DELETE()
                except ValidationError as error:
                    raise ValidationError(message, code="protected") from error

        return RefusingForm


class HostScopedTabularInline(_HostScopedInline, TabularInline):
    """Rows side by side, which say by themselves what they are."""

    hide_title = True


class HostScopedStackedInline(_HostScopedInline, StackedInline):
    """Rows one under the other, for those with many fields."""
