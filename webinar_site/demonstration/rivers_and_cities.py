"""Rivers and Cities: a second host, made up, so that other colours and other languages have something to show."""

from datetime import date, time, timedelta

from events.models import Appearance, OfferCondition, Question
from webinar_site.demonstration import DEMO_SECOND_ORGANIZER_EMAIL
from webinar_site.demonstration.content import (
    HostContent,
    OfferContent,
    PresenterContent,
    QuestionContent,
    SessionContent,
    WebinarContent,
    Work,
)
from webinar_site.demonstration.dates import FRIDAY, THURSDAY, weekday_ago, weekday_ahead
from webinar_site.demonstration.portraits import Portrait
from webinar_site.demonstration.registrants import WATER_PEOPLE

FLOOD_SLUG = "flood-warnings-for-small-towns"
GLACIER_SLUG = "tayushchie-ledniki"
SHADE_SLUG = "shade-by-design"

_ZOLC = PresenterContent(
    slug="grazyna-zolc-slazak",
    honorific="Dr",
    name="Grażyna Żółć-Ślązak",
    works=(Work("Hydrologist", "Rivers and Cities", "R&C"),),
    biography=(
        "<p>Measures rivers that are too small for the national network. "
        "Founded Rivers and Cities with two neighbours and a rain gauge.</p>"
    ),
    portrait=Portrait("long", "#f2d3bb", "#c0925a", "#7a3324", "#f0d3d0", has_glasses=True),
    role=Appearance.Role.HOST,
)
_SAPAROVA = PresenterContent(
    slug="aliya-saparova",
    name="Алия Сапарова",
    works=(Work("Гляциолог", "Лаборатория горных рек, Алматы", "ЛГР"),),
    biography=(
        "<p>Двадцать лет измеряет ледники Заилийского Алатау. "
        "Рассказывает о них так, чтобы поняли и инженеры, и школьники.</p>"
    ),
    portrait=Portrait("long", "#e2b48f", "#513626", "#4b5f35", "#d3e4cd"),
)
_KROEGER = PresenterContent(
    slug="jurgen-kroger",
    name="Jürgen Kröger",
    works=(Work("Fire chief", "Volunteer Fire Brigade Hohenfurt", "VFB"), Work("Engineer", "Kröger & Söhne", "K&S")),
    portrait=Portrait("short", "#f2d3bb", "#8d8f94", "#2f3a41", "#dfe0e4", has_glasses=True),
    role=Appearance.Role.PANELLIST,
)
_NGUYEN = PresenterContent(
    slug="nguyen-thi-minh-chau",
    name="Nguyễn Thị Minh Châu",
    works=(Work("Landscape architect", "Bóng Mát Studio", "BM"),),
    biography=(
        "<p>Draws streets for the hottest hour of the year. Her studio in Huế plants first and paves afterwards.</p>"
    ),
)
_HADDAD = PresenterContent(
    slug="layla-al-haddad",
    honorific="د.",
    name="ليلى الحداد",
    works=(Work("Physician", "Heat and Health Group", "HHG"),),
    portrait=Portrait("scarf", "#c68f65", "#2b211d", "#6d2d4f", "#d8d3ea"),
)


def rivers_and_cities(today: date) -> HostContent:
    """The host and its three webinars: one over some weeks before that day, two that lie ahead of it."""
    return HostContent(
        slug="rivers-and-cities",
        name="Rivers and Cities",
        about=(
            "A network of people who look after water in towns: engineers, gardeners, doctors, fire brigades. "
            "It meets online, in the language of whoever knows most."
        ),
        website="https://rivers-and-cities.example.net/",
        accent="#9a4a1f",
        time_zone="Europe/Warsaw",
        organizer_email=DEMO_SECOND_ORGANIZER_EMAIL,
        webinars=(
            _flood_webinar(weekday_ago(today, THURSDAY, weeks=5)),
            _glacier_webinar(weekday_ahead(today, FRIDAY, weeks=4)),
            _shade_webinar(weekday_ahead(today, THURSDAY, weeks=6)),
        ),
    )


def _flood_webinar(thursday: date) -> WebinarContent:
    return WebinarContent(
        slug=FLOOD_SLUG,
        title="Flood Warnings for Small Towns",
        summary=(
            "A brook that rises in forty minutes needs no supercomputer, but somebody who looks. "
            "Three towns show what they built for the price of a used car."
        ),
        about="""
<p>Large rivers have forecasts. The brook behind the school has none, and it is the one that floods the school.</p>
<h3>What you will see</h3>
<ul>
<li>A gauge made of a pipe, a float and a mobile phone</li>
<li>Who gets the call at three in the morning, and what that person may decide</li>
<li>One year of false alarms, and what they taught</li>
</ul>
""",
        sessions=(
            SessionContent(
                on=thursday,
                at=time(18, 0),
                time_zone="Europe/Warsaw",
                minutes=75,
                join_url="https://meet.example.net/flood",
            ),
        ),
        display_zones=("Europe/London", "Europe/Warsaw", "Africa/Nairobi", "Asia/Ho_Chi_Minh"),
        presenters=(_ZOLC, _KROEGER),
        attended_count=84,
        replay_url="https://replays.example.net/flood-warnings/",
        recommended=(SHADE_SLUG, GLACIER_SLUG),
    )


def _glacier_webinar(friday: date) -> WebinarContent:
    return WebinarContent(
        slug=GLACIER_SLUG,
        title="Тающие ледники: вода для городов предгорий",
        official_title="Ледники Тянь-Шаня и водоснабжение городов предгорий: что изменится к 2050 году",
        language="ru",
        summary=(
            "Пока ледники тают, воды в реках больше, а потом её станет меньше. "
            "Когда наступит перелом и что города могут успеть до него."
        ),
        about="""
<p>Летом половину воды в горных реках дают ледники. Каждый год они отступают, и каждый год этой воды чуть больше, чем
будет потом.</p>
<h3>О чём пойдёт речь</h3>
<ul>
<li>Как узнать, сколько воды осталось в горах</li>
<li>Водохранилище, озеро или почва: где хранить весну до августа</li>
<li>Чему Алматы и Бишкек могут научиться друг у друга</li>
</ul>
<p>Вопросы можно задавать на русском, казахском и кыргызском языках.</p>
""",
        sessions=(
            SessionContent(
                on=friday,
                at=time(16, 0),
                time_zone="Asia/Almaty",
                label="На русском языке",
                join_url="https://meet.example.net/ledniki",
                capacity=200,
                registrants=WATER_PEOPLE,
            ),
        ),
        display_zones=("Europe/Warsaw", "Asia/Tashkent", "Asia/Almaty", "Asia/Omsk"),
        presenters=(
            _SAPAROVA,
            PresenterContent(
                slug="bakyt-zheenbekov",
                name="Бакыт Жээнбеков",
                works=(Work("Главный инженер", "Городской водоканал", "ГВ"),),
                portrait=Portrait("short", "#c68f65", "#2b211d", "#39406f", "#c9dfe2"),
            ),
            _ZOLC,
        ),
        questions=(
            QuestionContent(
                wording="Из какого вы города?",
                answers=("Бишкек", "Алматы", "Ташкент", "Омск", ""),
            ),
            QuestionContent(wording="Прислать вам слайды после вебинара?", kind=Question.Kind.YES_NO),
        ),
        recommended=(FLOOD_SLUG, SHADE_SLUG),
    )


def _shade_webinar(thursday: date) -> WebinarContent:
    return WebinarContent(
        slug=SHADE_SLUG,
        title="Shade by Design",
        official_title="Shade by Design: Trees, Awnings and Night Air for Streets That Stay Cool",
        summary=(
            "A tree takes fifteen years, an awning one afternoon. "
            "How to cool a street this summer while the trees grow, and how to tell whether it helped."
        ),
        about="""
<p>On the same day, two sides of one street can differ by twelve degrees. The cooler side is seldom an accident:
somebody planted it, covered it or left a gap for the evening wind.</p>
<h3>What we will do</h3>
<ul>
<li>Read a street like a weather map</li>
<li>Choose between trees, cloth and water, with prices</li>
<li>Hear from a doctor which two weeks of the year matter most</li>
</ul>
""",
        interpretation="Interpreted into Vietnamese and Polish",
        sessions=(
            SessionContent(
                on=thursday,
                at=time(9, 0),
                time_zone="Asia/Ho_Chi_Minh",
                minutes=60,
                label="Suits East Asia and the Pacific",
                join_url="https://meet.example.net/shade-east",
                capacity=150,
            ),
            SessionContent(
                on=thursday,
                at=time(16, 0),
                time_zone="Europe/Warsaw",
                minutes=60,
                label="Suits Europe, Africa and the Americas",
                join_url="https://meet.example.net/shade-west",
            ),
        ),
        display_zones=(
            "America/Mexico_City",
            "Africa/Nairobi",
            "Europe/Warsaw",
            "Asia/Amman",
            "Asia/Ho_Chi_Minh",
        ),
        presenters=(_NGUYEN, _HADDAD, _ZOLC),
        offer=OfferContent(
            headline="20% off the street thermometer",
            percent_off=20,
            periods="one measuring set",
            terms="One set for each code. Postage is extra; schools pay none.",
            redeem_url="https://shop.example.net/thermometer/",
            code_prefix="SHADE",
            conditions=(OfferCondition.Kind.ATTENDED, OfferCondition.Kind.SURVEY),
            attended_minutes=30,
            valid_until=thursday + timedelta(days=90),
        ),
        recommended=(FLOOD_SLUG,),
    )
