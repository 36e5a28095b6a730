"""The page with the list of a webinar for invited people: who is on it, pasting and importing, taking off."""

from dataclasses import replace
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.defaultfilters import filesizeformat
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.dataclasses import UnfoldAction
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextareaWidget

from events import guest_lists
from events.admin import address_lists
from events.admin.confirmation import RECONSIDERED, Question, ask, is_confirmed
from events.admin.scoped import is_key
from events.email_addresses import address_key
from events.models import Webinar

MAX_BYTES = 1024 * 1024
MAX_ADDRESSES = 20_000
ROWS_ON_A_PAGE = 100
# More than these are not read by anybody: the list or its separators are of another kind.
MISTAKES_SHOWN = 50

# What the buttons of the page send beside `confirmed`.
WITHOUT_MISTAKES, REMOVE, REMOVE_ALL = "without_mistakes", "remove", "remove_all"


class InviteesForm(forms.Form):
    """Takes addresses out of a box and a file together. What the file held stands in the box afterwards."""

    addresses = forms.CharField(
        label=_("Addresses"),
        required=False,
        strip=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 10, "spellcheck": "false", "dir": "ltr"}),
        help_text=_(
            "One a line, or with commas or semicolons between them. A name before the address is fine: "
            "Anna Karimova &lt;anna@example.org&gt;"
        ),
    )
    file = forms.FileField(
        label=_("Or a file"),
        required=False,
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,text/csv,text/plain"}),
        help_text=_("CSV or plain text in UTF-8, up to 1 MB. Of a table the column with the addresses is taken."),
        error_messages={"empty": _("This file is empty.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.found = address_lists.AddressList()

    def clean_file(self) -> str:
        """The file as it would be pasted."""
        file = self.cleaned_data["file"]
        if not file:
            return ""
        if file.size > MAX_BYTES:
            said = _("This file has %(size)s. At most 1 MB is taken at once: split it.")
            raise ValidationError(said, params={"size": filesizeformat(file.size)})
        return address_lists.as_text(file.read())

    def clean(self) -> dict[str, Any]:
        parts = [self.cleaned_data.get(name, "") for name in ("addresses", "file")]
        text = "\n".join(part for part in parts if part.strip())
        self.show(text)
        if self.errors:
            return self.cleaned_data
        if not text:
            self.add_error("addresses", _("Paste addresses here, or choose a file."))
        elif len(text.encode()) > MAX_BYTES:
            self.add_error("addresses", _("At most 1 MB is taken at once. Add the addresses in several parts."))
        else:
            self.found = address_lists.read(text)
            self._refuse_mistakes()
        return self.cleaned_data

    def _refuse_mistakes(self) -> None:
        count, wrong = len(self.found.addresses), len(self.found.mistakes)
        if count > MAX_ADDRESSES:
            said = _("These are %(count)d addresses. At most %(limit)d are taken at once: add them in several parts.")
            self.add_error("addresses", ValidationError(said, params={"count": count, "limit": MAX_ADDRESSES}))
        elif wrong:
            words = ngettext(
                "%(count)d entry is no address, so nothing has been added yet. Correct it in the box, or leave it out.",
                "%(count)d entries are no addresses, so nothing has been added yet. "
                "Correct them in the box, or leave them out.",
                wrong,
            )
            self.add_error("addresses", words % {"count": wrong})
        elif not count:
            self.add_error("addresses", _("There is no address in this."))

    def show(self, text: str) -> None:
        """Let the box hold this text when the page comes back."""
        self.data = {**self.data, "addresses": text}


class InvitesPeople:
    """For the admin of webinars. Viewers look at the list; whoever may change the webinar changes it."""

    def get_actions_detail(self, request: HttpRequest, object_id: int) -> list[UnfoldAction]:
        """With the number on the list; without the page where the webinar is not for invited people."""
        actions: list[UnfoldAction] = super().get_actions_detail(request, object_id)  # type: ignore[misc]
        if not any(found.path == "invited" for found in actions):
            return actions
        webinar = self.webinar_or_404(request, str(object_id))  # type: ignore[attr-defined]
        count = webinar.invitees.count()
        if not count and webinar.access != Webinar.Access.INVITED:
            return [found for found in actions if found.path != "invited"]
        named = _("Invited people (%(count)d)") % {"count": count}
        return [replace(found, description=named) if found.path == "invited" else found for found in actions]

    @action(description=_("Invited people"), url_path="invited", icon="group_add", permissions=["invited_people"])
    def invited_people(self, request: HttpRequest, object_id: str) -> HttpResponse:
        webinar: Webinar = self.webinar_or_404(request, object_id)  # type: ignore[attr-defined]
        if request.method != "POST":
            return self._list_page(request, webinar, InviteesForm())
        if not self.has_change_permission(request, webinar):  # type: ignore[attr-defined]
            raise PermissionDenied
        if REMOVE in request.POST:
            return self._remove(request, webinar)
        if REMOVE_ALL in request.POST:
            return self._remove_all(request, webinar)
        return self._add(request, webinar)

    def has_invited_people_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        webinar = self.get_object(request, object_id) if object_id else None  # type: ignore[attr-defined]
        return webinar is not None and self.has_view_permission(request, webinar)  # type: ignore[attr-defined]

    def _add(self, request: HttpRequest, webinar: Webinar) -> HttpResponse:
        form = InviteesForm(request.POST, request.FILES)
        if WITHOUT_MISTAKES in request.POST:
            form.show(address_lists.without_mistakes(request.POST.get("addresses", "")))
        if not form.is_valid():
            return self._list_page(request, webinar, form, status=422)
        if request.FILES or not is_confirmed(request):  # nobody has seen yet what is in a file
            return self._list_page(request, webinar, form)
        addresses = form.found.addresses
        added = guest_lists.invite(webinar, addresses)
        known = len(addresses) - added
        said = [ngettext("%(count)d address is new on the list.", "%(count)d addresses are new on the list.", added)]
        if known:
            said.append(ngettext("%(known)d was on it already.", "%(known)d were on it already.", known))
        self._told(request, webinar, " ".join(said) % {"count": added, "known": known})
        return self._back(request, webinar)

    def _remove(self, request: HttpRequest, webinar: Webinar) -> HttpResponse:
        key = request.POST[REMOVE]
        invitee = webinar.invitees.filter(pk=key).first() if is_key(key) else None
        if invitee is not None:
            guest_lists.take_off(invitee)
            self._told(request, webinar, _("%(email)s is off the list.") % {"email": invitee.email})
        return self._back(request, webinar)

    def _remove_all(self, request: HttpRequest, webinar: Webinar) -> HttpResponse:
        count = webinar.invitees.count()
        if RECONSIDERED in request.POST or not count:
            return self._back(request, webinar)
        if not is_confirmed(request):
            question = Question(
                title=str(_("Empty the list?")),
                sentences=[
                    ngettext(
                        "%(count)d address is taken off the list, and cannot be brought back from here.",
                        "%(count)d addresses are taken off the list, and cannot be brought back from here.",
                        count,
                    )
                    % {"count": count},
                    str(_("Whoever has registered already keeps what is theirs. Nobody is told.")),
                ],
                button=str(_("Empty the list")),
            )
            return ask(request, self, question, [(webinar, webinar.title)], back="", carried=[(REMOVE_ALL, "yes")])
        gone = guest_lists.empty(webinar)
        said = ngettext("%(count)d address is off the list.", "%(count)d addresses are off the list.", gone)
        self._told(request, webinar, said % {"count": gone})
        return self._back(request, webinar)

    def _told(self, request: HttpRequest, webinar: Webinar, said: str) -> None:
        """Say it, and keep it in the webinar's history: without the address, whose owner may ask to be forgotten."""
        messages.success(request, said)
        self.log_change(request, webinar, str(_("The list of invited people changed.")))  # type: ignore[attr-defined]

    def _back(self, request: HttpRequest, webinar: Webinar) -> HttpResponse:
        return HttpResponseRedirect(f"{self._list_address(webinar)}{_query(request)}")

    def _list_address(self, webinar: Webinar) -> str:
        return reverse("admin:events_webinar_invited_people", args=[webinar.pk])

    def _list_page(
        self, request: HttpRequest, webinar: Webinar, form: InviteesForm, *, status: int = 200
    ) -> HttpResponse:
        words = request.GET.get("q", "").strip()
        invitees = webinar.invitees.filter(email_key__contains=address_key(words))
        addresses, mistakes = form.found.addresses, form.found.mistakes
        is_preview = form.is_bound and form.is_valid()
        known = guest_lists.known_among(webinar, addresses) if addresses else 0
        context = {
            **self.admin_site.each_context(request),  # type: ignore[attr-defined]
            "opts": self.opts,  # type: ignore[attr-defined]
            "title": _("Invited people"),
            "webinar": webinar,
            "form": form,
            "may_change": self.has_change_permission(request, webinar),  # type: ignore[attr-defined]
            "is_for_invited": webinar.access == Webinar.Access.INVITED,
            "is_preview": is_preview,
            "has_read": bool(addresses),
            "new": len(addresses) - known,
            "known": known,
            "repeated": form.found.repeated,
            "mistakes": mistakes[:MISTAKES_SHOWN],
            "mistakes_more": len(mistakes[MISTAKES_SHOWN:]),
            "words": words,
            "page": Paginator(invitees, ROWS_ON_A_PAGE).get_page(request.GET.get("page")),
            "count": webinar.invitees.count(),
            "address": self._list_address(webinar),
            "back": reverse("admin:events_webinar_change", args=[webinar.pk]),
        }
        return TemplateResponse(request, "admin/events/invitees.html", context, status=status)


def _query(request: HttpRequest) -> str:
    """Where in the list the reader was."""
    return f"?{request.GET.urlencode()}" if request.GET else ""
