"""Whether this process lives, and whether what it needs answers."""

import redis
from django.conf import settings
from django.db import Error, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache

BROKER_TIMEOUT_SECONDS = 2


@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """The process answers. Asks nobody else, so that a database that is away does not restart the web server."""
    return JsonResponse({"status": "ok"})


@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """Database and broker answer: 200, else 503 with what does not."""
    checks = {"database": database_answers(), "broker": broker_answers()}
    ready = all(checks.values())
    words = {name: "ok" if answers else "no answer" for name, answers in checks.items()}
    return JsonResponse({"status": "ok" if ready else "not ready", **words}, status=200 if ready else 503)


def database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return False
    return True


def broker_answers() -> bool:
    try:
        with redis.Redis.from_url(
            settings.REDIS_URL,
            socket_timeout=BROKER_TIMEOUT_SECONDS,
            socket_connect_timeout=BROKER_TIMEOUT_SECONDS,
            retry=None,
        ) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False
