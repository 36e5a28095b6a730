"""Settings, read from the environment. The README has the table; docs/decisions/0002 says why it is so.

There are two ways to run. The *trial setting* is what a fresh clone has: no environment, an address on this machine,
SQLite, an embedded Redis, mail as files. *Production* is everything else: whoever sets DEBUG=false or a SITE_URL that
others can reach must give every secret, and the start stops with a sentence until they have.
"""

import os
import zoneinfo
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _
from environs import Env
from environs.exceptions import EnvError

from webinar_site import environment

# ---------- where things are ----------

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"

env = Env()

# ---------- zone rules ----------

# Only the pinned tzdata package. The system's files are older and would win (docs/decisions/0003).
zoneinfo.reset_tzpath(to=())

# ---------- trial or production ----------

SITE_URL = environment.read_site_url(env, default="http://localhost:8000")
_debug = environment.read_bool(env, "DEBUG")
DEBUG = _debug is True
PRODUCTION = _debug is False or not environment.is_loopback(SITE_URL)

DATABASE_URL = environment.read_database_url(env)
REDIS_URL = environment.read_redis_url(env)
EMAIL_URL = env.str("EMAIL_URL", "")
_mail_server = environment.read_mail_server(env)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "")
SECRET_KEY = env.str("SECRET_KEY", "")
# Keys of earlier days, whose links still open.
SECRET_KEY_FALLBACKS: list[str] = env.list("SECRET_KEY_FALLBACKS", [])

if PRODUCTION:
    environment.require(
        [
            name
            for name, value in (
                ("SITE_URL", env.str("SITE_URL", "")),
                ("SECRET_KEY", SECRET_KEY),
                ("DATABASE_URL", DATABASE_URL),
                ("REDIS_URL", REDIS_URL),
                ("EMAIL_URL", EMAIL_URL),
                ("DEFAULT_FROM_EMAIL", DEFAULT_FROM_EMAIL),
            )
            if not value
        ]
    )
    environment.refuse_unsafe(debug=DEBUG, secret_key=SECRET_KEY)
else:
    SECRET_KEY = SECRET_KEY or environment.kept_secret(VAR_DIR / "secret_key")
    DEFAULT_FROM_EMAIL = DEFAULT_FROM_EMAIL or "Webinars <webinars@webinars.example>"

DEFAULT_FROM_EMAIL = environment.check_address("DEFAULT_FROM_EMAIL", DEFAULT_FROM_EMAIL)
SERVER_EMAIL = DEFAULT_FROM_EMAIL
_site_host = urlsplit(SITE_URL).hostname or ""
ALLOWED_HOSTS = environment.read_hosts(
    env, always={_site_host} if PRODUCTION else environment.LOOPBACK_HOSTS | {_site_host}
)
CSRF_TRUSTED_ORIGINS = [SITE_URL]

# ---------- applications ----------

INSTALLED_APPS = [
    "webinar_site",
    "registrations",
    "events",
    "unfold",
    "unfold.contrib.forms",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.sitemaps",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
]
# With whose accounts people may sign in; nobody's, unless the environment says so.
SOCIAL_PROVIDERS = environment.read_social_providers(env)
if SOCIAL_PROVIDERS:
    INSTALLED_APPS += [
        "allauth.socialaccount",
        *(f"allauth.socialaccount.providers.{provider.name}" for provider in SOCIAL_PROVIDERS),
    ]

# Mail providers may hand on what comes in (/anymail/), where the environment has the secret by which they are known.
ANYMAIL = environment.read_anymail(os.environ)
if ANYMAIL.get("WEBHOOK_SECRET"):
    INSTALLED_APPS += ["anymail"]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "webinar_site.security_headers.ContentPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "webinar_site.page_cache.PageCacheMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "webinar_site.sign_in_answers.SignInAnswersMiddleware",
]

ROOT_URLCONF = "webinar_site.urls"
WSGI_APPLICATION = "webinar_site.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# Django's inputs without a template for each (measured: a tenth of a page with a form).
FORM_RENDERER = "webinar_site.form_renderer.PlainInputs"

# ---------- database ----------

if not PRODUCTION:
    # Production keeps nothing beside the code, and may not be able to write there.
    VAR_DIR.mkdir(exist_ok=True)
try:
    DATABASES = {
        "default": env.dj_db_url("DATABASE_URL", f"sqlite:///{quote(str(VAR_DIR / 'db.sqlite3'))}", conn_max_age=60)
    }
except (EnvError, ValueError):
    # What it was is not repeated: it may hold a password.
    raise ImproperlyConfigured(environment.cannot_be_read("DATABASE_URL", environment.DATABASE_EXAMPLE)) from None
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # One writer at a time, who waits instead of failing: measured without a single "database is locked".
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
    }
else:
    # The web server has no request timeout of its own. `manage.py migrate` lifts it for itself.
    DATABASES["default"].setdefault("OPTIONS", {})["options"] = "-c statement_timeout=30000"
    # What is asked again and again is planned once for each connection: PostgreSQL takes longer to plan a page's
    # statements than to answer them. A pooler between must know prepared statements (PgBouncer does from 1.22 on).
    DATABASES["default"]["OPTIONS"] |= {"server_side_binding": True, "prepare_threshold": 5}

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# ---------- Celery: a doorbell, the truth is a row (docs/decisions/0004) ----------

REDIS_URL = REDIS_URL or f"unix://{quote(str(VAR_DIR / 'redis' / 'redis.sock'))}"
CELERY_BROKER_URL = environment.celery_broker_url(REDIS_URL)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # The limits add up: a drain begins no mail after 60 seconds, one mail waits at most 200 (connecting, greeting and
    # envelope 10 each, the answer to DATA 120), so a task is told to stop at 280 and stopped at 300; a message's claim
    # (outbox.CLAIM_FOR) outlasts the task, and the broker offers the task again after that. A test adds them up.
    "visibility_timeout": 360,
    "unacked_restore_interval": 10,
    "unacked_restore_throttle": 1,
    # Without these a broker that accepts and stays silent holds a request for over a minute.
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "socket_keepalive": True,
    # A request that finds no broker goes on at once: the sweep will do what it would have asked for.
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.1,
    "interval_max": 0.1,
}
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = False  # a poisoned task would run for ever; the sweep redoes lost work
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SOFT_TIME_LIMIT = 280
CELERY_TASK_TIME_LIMIT = 300
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 20
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_DB_REUSE_MAX = 1000  # only together with close_old_connections in webinar_site/celery.py
CELERY_TIMEZONE = "UTC"
OUTBOX_SWEEP_SECONDS = 15
# So long a change of a session waits for the next one, so that three corrections are one mail.
UPDATES_SETTLE = environment.read_seconds(env, "UPDATES_SETTLE_SECONDS", 300, most=3600)
PLACES_SWEEP_SECONDS = 60
MAILINGS_SWEEP_SECONDS = 30
SESSIONS_SWEEP_SECONDS = 60 * 60
MAILS_THINNED_SECONDS = 24 * 60 * 60
ZONES_RECHECK_SECONDS = 24 * 60 * 60  # and after each start, see webinar_site/celery.py
# How often the doctor looks at what is near, and asks the mail server and the DNS; both after each start as well.
EXAMINE_QUICKLY_SECONDS = 60
EXAMINE_SLOWLY_SECONDS = 30 * 60
CELERY_BEAT_SCHEDULE = {
    "sweep-outbox": {
        "task": "registrations.tasks.sweep_outbox",
        "schedule": OUTBOX_SWEEP_SECONDS,
        "options": {"expires": OUTBOX_SWEEP_SECONDS},  # no pile-up while the workers are away
    },
    "sweep-places": {
        "task": "registrations.tasks.sweep_places",
        "schedule": PLACES_SWEEP_SECONDS,
        "options": {"expires": PLACES_SWEEP_SECONDS},
    },
    "thin-out-mails": {
        "task": "registrations.tasks.thin_out_mails",
        "schedule": MAILS_THINNED_SECONDS,
        "options": {"expires": MAILS_THINNED_SECONDS},
    },
    "sweep-mailings": {
        "task": "registrations.tasks.sweep_mailings",
        "schedule": MAILINGS_SWEEP_SECONDS,
        "options": {"expires": MAILINGS_SWEEP_SECONDS},
    },
    "forget-sessions": {
        "task": "registrations.tasks.forget_sessions",
        "schedule": SESSIONS_SWEEP_SECONDS,
        "options": {"expires": SESSIONS_SWEEP_SECONDS},
    },
    "recheck-zones": {
        "task": "events.tasks.recheck_zones",
        "schedule": ZONES_RECHECK_SECONDS,
        "options": {"expires": ZONES_RECHECK_SECONDS},
    },
    "examine-quickly": {
        "task": "webinar_site.tasks.examine_quickly",
        "schedule": EXAMINE_QUICKLY_SECONDS,
        "options": {"expires": EXAMINE_QUICKLY_SECONDS},
    },
    "examine-slowly": {
        "task": "webinar_site.tasks.examine_slowly",
        "schedule": EXAMINE_SLOWLY_SECONDS,
        "options": {"expires": EXAMINE_SLOWLY_SECONDS},
    },
}

# The mailbox that is looked into for what calendars answer; none, unless the environment names it.
IMAP_SERVER = environment.read_imap_server(env)
IMAP_EVERY_SECONDS = 60
if IMAP_SERVER:
    CELERY_BEAT_SCHEDULE["look-into-mailbox"] = {
        "task": "registrations.tasks.look_into_mailbox",
        "schedule": IMAP_EVERY_SECONDS,
        "options": {"expires": IMAP_EVERY_SECONDS},
    }

# Here stands the mark of the pages that are kept (events/freshness.py). Whoever develops wants none kept: a row changed
# in a shell tells nobody.
PAGES_REDIS_URL = "" if DEBUG else environment.cache_url(REDIS_URL)

# ---------- caches ----------

CACHES: dict[str, dict[str, Any]] = {
    # Counts what the sign-in pages limit (docs/decisions/0011).
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    # Pictures made for networks (events/syndication/cards.py): some 40 kB each. The broker's Redis, which forgets
    # nothing, is no place for them.
    "pictures": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "pictures",
        "OPTIONS": {"MAX_ENTRIES": 100},
    },
}
# Where events/limits.py counts; empty: each process by itself.
LIMITS_REDIS_URL = environment.cache_url(REDIS_URL) if PRODUCTION else ""
if PRODUCTION:
    CACHES["default"] = {
        "BACKEND": "webinar_site.cache.SharedCache",
        # A list, since a string is cut at commas, which a password may hold.
        "LOCATION": [environment.cache_url(REDIS_URL)],
        "KEY_PREFIX": "webinar-site",
    }

# ---------- mail ----------

# Without EMAIL_URL each mail becomes a file, to be read at /mailbox/.
MAILBOX_DIR = VAR_DIR / "mail"
if _mail_server:
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    EMAIL_HOST = _mail_server.host
    EMAIL_PORT = _mail_server.port
    EMAIL_HOST_USER = _mail_server.user
    EMAIL_HOST_PASSWORD = _mail_server.password
    EMAIL_USE_TLS = _mail_server.starttls
    EMAIL_USE_SSL = _mail_server.tls_from_the_start
else:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = VAR_DIR / "mail-log"
# Domains whose mailboxes take tags (rsvp+tag@…): there each invite has an address of its own to be answered at.
SUBADDRESS_DOMAINS = environment.read_domains(env, "SUBADDRESS_DOMAINS")
# The name by which our own mail server signs what it found out about a sender; empty: nobody's word is taken.
AUTHSERV_ID = env.str("AUTHSERV_ID", "").strip().lower()
# Under which names the keys of DKIM stand (<name>._domainkey.<domain>): the doctor cannot find them by itself.
DKIM_SELECTORS = environment.read_selectors(env, "DKIM_SELECTORS")
# Whom the doctor asks, where the machine's own name servers tell what holds inside the house alone.
NAME_SERVERS = environment.read_name_servers(env, "NAME_SERVERS")
EMAIL_TIMEOUT = 10  # seconds to connect; the outbox waits longer for the answer to DATA

# ---------- accounts ----------

AUTH_USER_MODEL = "events.User"
SILENCED_SYSTEM_CHECKS = ["auth.W004"]  # an address is unique in any letter case, by a constraint that Django overlooks
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "my_webinars"
ACCOUNT_LOGOUT_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "registrations.accounts.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "registrations.accounts.LoginForm",
    "request_login_code": "registrations.accounts.RequestLoginCodeForm",
    "confirm_login_code": "registrations.accounts.ConfirmLoginCodeForm",
    "confirm_email_verification_code": "registrations.accounts.ConfirmEmailVerificationCodeForm",
    "add_email": "registrations.accounts.AddEmailForm",
    "change_password": "registrations.accounts.ChangePasswordForm",
    "set_password": "registrations.accounts.SetPasswordForm",
    "reset_password": "registrations.accounts.ResetPasswordForm",
    "reset_password_from_key": "registrations.accounts.ResetPasswordKeyForm",
    "reauthenticate": "registrations.accounts.ReauthenticateForm",
}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 15 * 60  # the mail goes through the outbox, which may have to try again
ACCOUNT_LOGIN_BY_CODE_SUPPORTS_RESEND = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGIN_ON_PASSWORD_RESET = True
ACCOUNT_PREVENT_ENUMERATION = True
# How often somebody may try: per source (an address on the network), per key (an address of mail, or a person) and per
# user. allauth's own limits count minutes alone, so that patience gets around them; these count hours and days beside.
# A source may be a whole office. What one key is allowed is what a stranger can take from its owner, who then still has
# the other ways in: so codes are not used up by passwords, nor passwords by codes.
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip,300/h/ip",
    # Wrong passwords, and wrong codes of the second step. A password of ten characters outlasts thirty tries a day.
    "login_failed": "10/m/ip,100/h/ip,5/5m/key,30/d/key",
    # Each is a mail, to a stranger perhaps (registrations/accounts.py holds back what nobody can use).
    "request_login_code": "20/m/ip,100/h/ip,3/m/key,10/h/key,30/d/key",
    "reset_password": "20/m/ip,100/h/ip,3/m/key,10/d/key",
    "confirm_email": "1/10s/key,5/h/key,10/d/key",
    "manage_email": "10/m/user,50/d/user",
    # Asks for the present password, which whoever finds an open browser would have to guess.
    "change_password": "5/m/user,30/h/user",
    "reauthenticate": "10/m/user,60/h/user",
    # The key in a link cannot be guessed; this keeps the noise down.
    "reset_password_from_key": "20/m/ip",
    "signup": "20/m/ip",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
# Browsers make passkeys over TLS, and on this machine.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not PRODUCTION
MFA_RATE_LIMITS = {"webauthn_login": "10/m/ip,100/h/ip"}  # a signature cannot be guessed either
MFA_ADAPTER = "registrations.accounts.SecondStepAdapter"
MFA_FORMS = {
    "authenticate": "registrations.accounts.SecondStepForm",
    "reauthenticate": "registrations.accounts.SecondStepAgainForm",
    "activate_totp": "registrations.accounts.ActivateAppForm",
    "add_webauthn": "registrations.accounts.AddPasskeyForm",
    "edit_webauthn": "registrations.accounts.RenamePasskeyForm",
    "authenticate_webauthn": "registrations.accounts.PasskeyForm",
    "reauthenticate_webauthn": "registrations.accounts.PasskeyAgainForm",
    "login_webauthn": "registrations.accounts.PasskeyLoginForm",
}
SOCIALACCOUNT_ADAPTER = "registrations.social.SocialAdapter"
SOCIALACCOUNT_PROVIDERS = {
    provider.name: {
        "APP": {"name": provider.name, "client_id": provider.client_id, "secret": provider.client_secret},
        "OAUTH_PKCE_ENABLED": True,
    }
    for provider in SOCIAL_PROVIDERS
}
# Whoever a provider says owns an address is whom a code by mail to it would let in; but see `SocialAdapter`.
SOCIALACCOUNT_EMAIL_AUTHENTICATION = True
SOCIALACCOUNT_STORE_TOKENS = False  # nothing is done there in anybody's name
if PRODUCTION:
    # The web server in front writes who asks into X-Forwarded-For (deploy/nginx.conf): without this, all visitors
    # would share one limit of tries.
    ALLAUTH_TRUSTED_PROXY_COUNT = 1

# ---------- languages and time ----------

# A language joins when its words are there; half a translation is worse than none.
LANGUAGES = [("en", _("English")), ("ar", _("Arabic"))]
LANGUAGE_CODE = environment.read_language(env, default="en", known=[code for code, _name in LANGUAGES])
# Our own words, and those that Django and allauth lack.
LOCALE_PATHS = [BASE_DIR / "locale", BASE_DIR / "locale" / "borrowed"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = environment.read_time_zone(env, default="UTC")

# ---------- files ----------

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_URL = "/media/"
MEDIA_ROOT = environment.read_folder(env, "MEDIA_ROOT", default=VAR_DIR / "media")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000  # a webinar with sixty presenters, edited in one form

# ---------- security ----------

# Nobody fills in the form faster than this who is not a program (registrations/stamps.py).
FORM_TAKES_AT_LEAST = timedelta(seconds=2)
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"  # manage links are secrets: no other site may see them in a Referer
X_FRAME_OPTIONS = "DENY"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True  # forms carry the token themselves, so no script has to read it
CSRF_COOKIE_SAMESITE = "Lax"
if SITE_URL.startswith("https://"):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
    # For our own name alone: names below it may be somebody else's, and preloading cannot be taken back for months.
    # Whoever owns the whole domain says so in the web server in front.
    SECURE_HSTS_SECONDS = 31536000
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True

# ---------- logging: to standard error, one line each, never with a person's address ----------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}

# ---------- the admin's dress ----------

_ORGANIZER = "events.access.is_organizer"
_SUPERUSER = "events.access.is_superuser"


def _menu_item(title: object, icon: str, view: str, permission: str = _ORGANIZER) -> dict[str, object]:
    return {"title": title, "icon": icon, "link": reverse_lazy(f"admin:{view}_changelist"), "permission": permission}


UNFOLD = {
    "SITE_TITLE": _("Webinars"),
    "SITE_HEADER": _("Webinars"),
    "SITE_SUBHEADER": _("For organizers"),
    "SITE_URL": "/",
    "SITE_SYMBOL": "event_available",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": True,
    "SHOW_BACK_BUTTON": True,
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda _request: static("favicon.svg")},
    ],
    "STYLES": [lambda _request: static("admin/organizers.css")],
    "SCRIPTS": [lambda _request: static("admin/organizers.js")],
    "DASHBOARD_CALLBACK": "registrations.admin.front_page.complete",
    "COLORS": {
        "primary": {  # the site's own accent in Unfold's steps
            "50": "oklch(97.5% .013 205)",
            "100": "oklch(94.5% .025 205)",
            "200": "oklch(89% .045 205)",
            "300": "oklch(81% .07 205)",
            "400": "oklch(71% .09 205)",
            "500": "oklch(58% .09 205)",
            "600": "oklch(48% .08 205)",
            "700": "oklch(42% .075 205)",
            "800": "oklch(36% .06 205)",
            "900": "oklch(30% .05 205)",
            "950": "oklch(23% .04 205)",
        },
    },
    "SIDEBAR": {
        "navigation": [
            {
                "title": _("Webinars"),
                "items": [
                    _menu_item(_("Webinars"), "co_present", "events_webinar"),
                    _menu_item(_("Sessions"), "event", "events_session"),
                    _menu_item(_("Series"), "library_books", "events_series"),
                    _menu_item(_("Presenters"), "record_voice_over", "events_presenter"),
                    _menu_item(_("Partners"), "handshake", "events_partner"),
                ],
            },
            {
                "title": _("People"),
                "separator": True,
                "items": [
                    _menu_item(_("Registrations"), "how_to_reg", "registrations_registration"),
                    _menu_item(_("Mails"), "mail", "registrations_message"),
                    _menu_item(_("Mails to many"), "campaign", "registrations_mailing"),
                ],
            },
            {
                "title": _("Offers"),
                "separator": True,
                "items": [
                    _menu_item(_("Offers"), "sell", "events_offer"),
                    _menu_item(_("Offer codes"), "confirmation_number", "registrations_offercode"),
                ],
            },
            {
                "title": _("Hosts"),
                "separator": True,
                "items": [
                    _menu_item(_("Hosts and organizers"), "groups", "events_host"),
                    _menu_item(_("Users"), "person", "events_user", _SUPERUSER),
                    _menu_item(_("Former addresses"), "alt_route", "events_formeraddress", _SUPERUSER),
                    {
                        "title": _("Doctor"),
                        "icon": "stethoscope",
                        "link": reverse_lazy("doctor"),
                        "permission": _SUPERUSER,
                    },
                ],
            },
        ],
    },
}
