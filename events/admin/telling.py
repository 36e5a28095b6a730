"""Pages that save what people have in their calendars: they ask before anybody is told, and lose nothing typed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from events import scheduling
from events.admin.confirmation import CONFIRMED, RECONSIDERED, AskFirstError, Question, ask, is_confirmed
from events.models import Session, User

# What a save was refused for although the form had let it pass, while the page is made again to show it.
_refusals: WeakKeyDictionary[HttpRequest, ValidationError] = WeakKeyDictionary()


class HeldForm(forms.ModelForm):  # type: ignore[type-arg]
    """A form that can be shown again as it was typed, with or without a reason."""

    is_held: ClassVar[bool] = False
    refusal: ClassVar[ValidationError | None] = None

    def is_valid(self) -> bool:
        return super().is_valid() and not self.is_held

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if self.refusal is not None:
            self._show(self.refusal)
        return cleaned

    def _show(self, refusal: ValidationError) -> None:
        """Beside its field, where this form has it."""
        for name, words in getattr(refusal, "message_dict", {None: refusal.messages}).items():
            self.add_error(name if name in self.fields else None, words)


def actor(request: HttpRequest) -> User:
    """Who does it; the admin lets in nobody else."""
    assert isinstance(request.user, User)  # noqa: S101 - tells the type checker what admin_view has seen to
    return request.user


@dataclass(frozen=True)
class Change:
    """What people will be told, in words, and of which session or webinar."""

    subject: models.Model
    words: str


@dataclass(frozen=True)
class Effect:
    """What else follows from a save, as a sentence, and how many people are told of it by mail."""

    words: str
    told: int = 0


class TellsPeople:
    """For pages whose deeds reach people: how many, asking first, and saying so."""

    def people_reached(self, sessions: Iterable[Session]) -> int:
        """How many people hear of a change of these sessions."""
        return sum(session.places_taken for session in sessions)

    def people_turned_away(self, sessions: Iterable[Session]) -> int:
        """How many people hear it when all of these sessions are called off."""
        return self.people_reached(sessions)

    def people_registered(self, sessions: Iterable[Session]) -> int:
        """How many people have registered for these sessions, whether they hear of a change or not."""
        return self.people_reached(sessions)

    def effects_of(self, sessions: Iterable[tuple[Session, Session]]) -> list[Effect]:
        """What follows for those who wait once these sessions, each as it is stored and as it will be, are saved."""
        return []

    def ask_before_telling(
        self,
        request: HttpRequest,
        changes: Sequence[Change],
        sessions: Iterable[Session],
        *,
        effects: Sequence[Effect] = (),
        has_file: bool = False,
    ) -> None:
        """Raise AskFirstError where somebody would hear of these changes and the reader has not agreed to that yet.

        Effects are asked about though nobody is told of them.
        """
        count = self.people_reached(sessions) if changes else 0
        if not (count or effects) or is_confirmed(request):
            return
        sentences = [effect.words for effect in effects]
        if has_file:
            sentences.append(_("The picture that you chose is not saved along: choose it again afterwards."))
        if count:
            told = ngettext(
                "%(count)d person holds a place or waits for one, and is told by mail of what changes:",
                "%(count)d people hold a place or wait for one, and are told by mail of what changes:",
                count,
            )
            sentences.append(told % {"count": count})
        # Whoever moves up may be among those who are told of a new time, too: these are mails, the number is of people.
        reached = max(count, sum(effect.told for effect in effects))
        question = Question(
            title=_("Save and tell them?") if reached else _("Save this change?"),
            sentences=sentences,
            button=ngettext("Save and tell %(count)d person", "Save and tell %(count)d people", reached)
            % {"count": reached}
            if reached
            else _("Save"),
            is_grave=False,
        )
        raise AskFirstError(question, [(change.subject, change.words) for change in changes] if count else [])

    def plan(self, request: HttpRequest, sessions: Iterable[Session]) -> list[Session]:
        """Save sessions from a form, lowest id first, and return those whose people are told of it."""
        moved = []
        for session in sorted(sessions, key=lambda session: (session.pk is None, session.pk or 0)):
            sequence = session.sequence
            scheduling.save_session(session, by=actor(request), now=timezone.now())
            if session.sequence != sequence and not session.is_cancelled:
                moved.append(session)
        return moved

    def say_who_is_told(self, request: HttpRequest, sessions: Iterable[Session]) -> None:
        """Say how many people are being told that these sessions look different now."""
        told = self.people_reached(sessions)
        if told:
            message = ngettext(
                "%(count)d person is being told of the change. What you correct in the next minutes is the same mail.",
                "%(count)d people are being told of the change. What you correct in the next minutes is the same mail.",
                told,
            )
            messages.info(request, message % {"count": told})


class HoldsSessions:
    """For pages that save or delete sessions: they hold their locks from before anything is read until all is done.

    Lowest id first, as every act does (see `scheduling`), so that nobody waits for anybody in a ring. A save that asks
    first, or that an act refuses, takes back whatever it had begun; what was typed comes back with the page.
    """

    # How a session leads to the page's object.
    session_path: ClassVar[str] = "pk"

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        context = {**(extra_context or {})}
        try:
            return self._save_held(request, object_id, form_url, context)
        except AskFirstError as first:
            typed = [(name, value) for name, values in request.POST.lists() for value in values]
            kept = [pair for pair in typed if pair[0] not in {CONFIRMED, RECONSIDERED, "csrfmiddlewaretoken"}]
            return ask(request, self, first.question, first.rows, back="", carried=kept)
        except ValidationError as refusal:
            _refusals[request] = refusal
            return self._save_held(request, object_id, form_url, context)

    def _save_held(
        self, request: HttpRequest, object_id: str | None, form_url: str, context: dict[str, Any]
    ) -> HttpResponse:
        with transaction.atomic():
            if request.method == "POST" and object_id is not None:
                found = self.get_object(request, object_id)  # type: ignore[attr-defined]
                self._hold([found] if found is not None else [])
            if RECONSIDERED in request.POST:
                messages.info(request, _("Nothing is saved yet. What you typed is still here."))
            return super().changeform_view(request, object_id, form_url, context)  # type: ignore[misc]

    def get_form(self, request: HttpRequest, obj: models.Model | None = None, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, **kwargs)  # type: ignore[misc]
        form.is_held = RECONSIDERED in request.POST
        form.refusal = _refusals.get(request)
        return form

    def delete_model(self, request: HttpRequest, obj: models.Model) -> None:
        with transaction.atomic():
            self._hold([obj])
            super().delete_model(request, obj)  # type: ignore[misc]

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        with transaction.atomic():
            self._hold(queryset)
            super().delete_queryset(request, queryset)  # type: ignore[misc]

    def _hold(self, things: Iterable[models.Model]) -> None:
        ids = [thing.pk for thing in things]
        sessions = Session.objects.filter(**{f"{self.session_path}__in": ids}).order_by("pk")
        list(sessions.select_for_update(no_key=True).values_list("pk"))
