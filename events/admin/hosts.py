"""Hosts, and who may help."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminEmailInputWidget

from events import mail_rules, timezones
from events.access import Role, access_of
from events.admin.addresses import LeavesAddresses
from events.admin.forms import HostForm
from events.admin.mail_rules import HostMailRuleInline, warn_of_merged
from events.admin.scoped import HostScopedAdmin, HostScopedTabularInline, SameHostFormSet
from events.models import Host, MailRule, Membership, User


class MemberForm(forms.ModelForm):  # type: ignore[type-arg]
    """A member by address. Nobody picks from a list of users: most of them are other hosts' attendees."""

    email = forms.EmailField(
        label=_("email"),
        max_length=254,
        widget=UnfoldAdminEmailInputWidget,
        help_text=_("They sign in with a code that is sent there."),
    )

    class Meta:
        model = Membership
        fields = ["role"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["email"].initial = self.instance.user.email
            self.fields["email"].disabled = True
            self.fields["email"].help_text = ""

    def save(self, commit: bool = True) -> Membership:  # noqa: FBT001 - Django's signature
        """Whoever has no account yet gets one; whoever helps may enter the admin."""
        if self.instance.user_id is None:
            email = self.cleaned_data["email"]
            self.instance.user = User.for_address(email) or User.objects.create_user(email)
        user = self.instance.user
        if not user.is_staff:
            user.is_staff = True
            user.save(update_fields=["is_staff"])
        membership: Membership = super().save(commit)
        return membership


class MemberFormSet(SameHostFormSet):
    """Everybody once, and somebody who is responsible."""

    def clean(self) -> None:
        super().clean()
        if any(self.errors):
            return
        kept = [form for form in self.forms if form.cleaned_data and not form.cleaned_data.get("DELETE")]
        seen: set[str] = set()
        for form in kept:
            address = form.cleaned_data["email"].casefold()
            if address in seen:
                form.add_error("email", _("This person is an organizer already."))
            seen.add(address)
        if kept and not any(form.cleaned_data["role"] == Role.OWNER for form in kept):
            raise ValidationError(_("A host needs at least one owner."))
        if not kept and self.initial_form_count():
            raise ValidationError(_("A host needs at least one owner."))


class MemberInline(HostScopedTabularInline):
    model = Membership
    # Members are those who may see what is for members, by the domain of their address.
    verbose_name = _("organizer")
    verbose_name_plural = _("organizers")
    host_path = "pk"
    edit_role = Role.OWNER
    form = MemberForm
    formset = MemberFormSet
    fields = ["email", "role"]

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Membership]:
        return super().get_queryset(request).select_related("user", "host")

    @display(description=_("email"))
    def email(self, membership: Membership) -> str:
        """For those who may only look."""
        return membership.user.email


@admin.register(Host)
class HostAdmin(LeavesAddresses, HostScopedAdmin):
    """Owners keep their host and its members; making and deleting hosts is for superusers."""

    host_path = "pk"
    edit_role = Role.OWNER
    form = HostForm
    fieldsets = [
        (_("What"), {"fields": ["name", "slug", "about", "website", "logo", "accent"]}),
        (
            _("Mail and time"),
            {"fields": ["sender_email", "time_zone", "has_tentative_entries", "keep_hours", "keep_mails_days"]},
        ),
        (_("Members and organizers"), {"fields": ["member_domains", "requires_second_factor"]}),
    ]
    inlines = [MemberInline, HostMailRuleInline]
    prepopulated_fields = {"slug": ["name"]}
    protected_message = _("This host has webinars, so it cannot be deleted.")
    list_display = ["name", "slug", "city"]
    search_fields = ["name"]

    def view_on_site(self, host: Host) -> str:
        return host.get_absolute_url()

    def get_readonly_fields(self, request: HttpRequest, obj: models.Model | None = None) -> list[str]:
        """Nobody writes in the name of a mailbox that they have not proved to be theirs."""
        fields = super().get_readonly_fields(request, obj)
        return fields if access_of(request).is_superuser else [*fields, "sender_email"]

    def get_form(self, request: HttpRequest, obj: models.Model | None = None, *args: Any, **kwargs: Any) -> Any:
        if not access_of(request).is_superuser:
            kwargs["help_texts"] = {
                "sender_email": _(
                    "Mails and invites come from here, or from the site's own address where this is empty. "
                    "Only those who run the site change it, because they know which mailboxes are yours."
                )
            }
        return super().get_form(request, obj, *args, **kwargs)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001
        """A new host begins with the usual mails, unless others were chosen."""
        super().save_related(request, form, formsets, change)
        if not change and not form.instance.mail_rules.exists():
            mail_rules.begin_plan(form.instance, now=timezone.now())
        if any(formset.model is MailRule and formset.has_changed() for formset in formsets):
            warn_of_merged(request, form.instance, form.instance.mail_rules.all())

    def has_add_permission(self, request: HttpRequest) -> bool:
        return access_of(request).is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return access_of(request).is_superuser

    @display(description=_("Home time zone"), ordering="time_zone")
    def city(self, host: Host) -> str:
        return timezones.city_name(host.time_zone)
