"""Users, for superusers: the address is the name, and most sign in with a code instead of a password."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import BooleanRadioFilter
from unfold.forms import AdminPasswordChangeForm, UserChangeForm

from events.access import access_of
from events.models import User

# Roles come from memberships; groups of model permissions would be a second truth.
admin.site.unregister(Group)


class UserAddForm(forms.ModelForm):  # type: ignore[type-arg]
    """A new user, who signs in with a code."""

    class Meta:
        model = User
        fields = ["email", "first_name", "last_name", "is_staff"]

    def save(self, commit: bool = True) -> User:  # noqa: FBT001 - Django's signature
        self.instance.set_unusable_password()
        user: User = super().save(commit)
        return user


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):  # type: ignore[type-arg]
    form = UserChangeForm
    add_form = UserAddForm
    change_password_form = AdminPasswordChangeForm
    fieldsets = [
        (None, {"fields": ["email", "password"]}),
        (_("Name"), {"fields": ["first_name", "last_name"]}),
        (_("What they may do"), {"fields": ["is_active", "is_staff", "is_superuser"]}),
        (_("Dates"), {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [(None, {"fields": ["email", "first_name", "last_name", "is_staff"]})]
    readonly_fields = ["last_login", "date_joined"]
    filter_horizontal = []
    list_display = ["email", "first_name", "last_name", "host_names", "is_staff", "last_login"]
    list_filter = [("is_staff", BooleanRadioFilter), ("is_superuser", BooleanRadioFilter)]
    list_filter_submit = True
    search_fields = ["email", "first_name", "last_name"]
    ordering = ["email"]

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[User]:
        return super().get_queryset(request).prefetch_related("hosts")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return access_of(request).is_superuser

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return access_of(request).is_superuser

    def has_add_permission(self, request: HttpRequest) -> bool:
        return access_of(request).is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return access_of(request).is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return access_of(request).is_superuser

    @admin.display(description=_("Hosts"))
    def host_names(self, user: User) -> str:
        return ", ".join(host.name for host in user.hosts.all())
