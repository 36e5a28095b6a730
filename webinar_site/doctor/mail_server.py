"""Whether the mail server takes our login, and mails from each of our addresses. Nothing is sent."""

import smtplib
import ssl
from collections.abc import Callable, Iterable
from email.utils import parseaddr

from django.conf import settings
from django.core.mail.backends.smtp import EmailBackend
from django.utils.translation import gettext as _

from events.email_addresses import spelt_in_ascii
from events.validators import foreign_text
from webinar_site.doctor.deadline import Deadline
from webinar_site.doctor.seen import Light, Seen, amber, green, red, together

# For each answer of the server. A mail itself waits longer (EMAIL_TIMEOUT).
STEP_SECONDS = 5
_THIS_MACHINE = {"localhost", "127.0.0.1", "::1"}


def check_mail_server(senders: Iterable[str], deadline: Deadline) -> Seen:
    """Connect, log in, and ask for each address whether a mail from it, and one to it, would be taken."""
    if not settings.EMAIL_URL:
        return green(_("Mails are files, to be read at /mailbox/: without EMAIL_URL nothing is sent."))
    backend = EmailBackend(timeout=STEP_SECONDS)
    try:
        backend.open()
        smtp: smtplib.SMTP = backend.connection  # type: ignore[assignment] # open() raises where there is none
        return together([_logged_in(smtp), *_senders_taken(smtp, senders, deadline)])
    except (smtplib.SMTPException, OSError) as error:
        return _refused(error)
    finally:
        backend.fail_silently = True
        backend.close()


def _logged_in(smtp: smtplib.SMTP) -> Seen:
    tls = smtp.sock.version() if isinstance(smtp.sock, ssl.SSLSocket) else None
    facts = {"server": _server(), "user": settings.EMAIL_HOST_USER, "tls": tls or ""}
    if not settings.EMAIL_HOST_USER:
        said = _("%(server)s takes us without a login.") % facts
    elif tls:
        said = _("%(server)s takes our login as %(user)s, over %(tls)s.") % facts
    else:
        said = _("%(server)s takes our login as %(user)s.") % facts
        if settings.EMAIL_HOST not in _THIS_MACHINE:
            return amber(
                _("%(server)s takes our login as %(user)s, and the password goes there in the clear.") % facts,
                _("Write smtp+tls:// or smtp+ssl:// in EMAIL_URL."),
            )
    return green(said)


def _senders_taken(smtp: smtplib.SMTP, senders: Iterable[str], deadline: Deadline) -> Iterable[Seen]:
    smtp.ehlo_or_helo_if_needed()
    for sender in senders:
        if deadline.is_over:
            yield amber(
                _("%(sender)s: not asked, since the time was up.") % {"sender": sender}, _("Look again in a while.")
            )
            continue
        taken = _sender_taken(smtp, sender)
        yield taken
        if taken.light is Light.AMBER:
            return  # it is busy, or has gone: others would hear the same
        smtp.rset()


def _sender_taken(smtp: smtplib.SMTP, sender: str) -> Seen:
    """What the server says to a mail from the address to itself: many say no to the sender only after the recipient."""
    address = _as_spoken(sender)
    asks: list[Callable[[str], tuple[int, bytes]]] = [smtp.mail, smtp.rcpt]
    for ask in asks:
        code, text = ask(address)
        facts = {"sender": sender, "answer": foreign_text(f"{code} ".encode() + text)}
        if code // 100 == 5:
            return red(
                _("It takes no mail from %(sender)s to the same address: %(answer)s") % facts,
                _("Let the login of EMAIL_URL send for this address, and see that it is a mailbox: answers go there."),
            )
        if code // 100 != 2:
            return amber(
                _("It takes no mail from %(sender)s to the same address for now: %(answer)s") % facts,
                _("Look again in a while. If it stays so, ask whoever runs the mail server."),
            )
    return green(_("It takes mails from %(sender)s: %(answer)s") % facts)


def _refused(error: Exception) -> Seen:
    facts = {"server": _server(), "reason": _reason(error)}
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return red(
            _("%(server)s does not take our login: %(reason)s") % facts,
            _("Look at the user and the password in EMAIL_URL. Mail waits until then."),
        )
    if isinstance(error, ssl.SSLCertVerificationError):
        return red(
            _("The certificate of %(server)s is not one that can be trusted: %(reason)s") % facts,
            _("Write the name in EMAIL_URL for which the certificate was made, or have it renewed."),
        )
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return red(
            _("%(server)s does not offer what EMAIL_URL asks for: %(reason)s") % facts,
            _("See whether it wants smtp+tls:// (587), smtp+ssl:// (465) or smtp://, and a login at all."),
        )
    return red(
        _("%(server)s does not answer as a mail server does: %(reason)s") % facts,
        _("Look at the host and the port in EMAIL_URL, and whether this machine may go there. Mail waits until then."),
    )


def _reason(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return foreign_text(f"{error.smtp_code} {foreign_text(error.smtp_error)}")
    if isinstance(error, ssl.SSLCertVerificationError):
        return foreign_text(error.verify_message)
    return foreign_text(f"{type(error).__name__}: {error}")


def _server() -> str:
    return f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"


def _as_spoken(address: str) -> str:
    local, _at, domain = parseaddr(address)[1].rpartition("@")
    return f"{local}@{spelt_in_ascii(domain) or domain}"
