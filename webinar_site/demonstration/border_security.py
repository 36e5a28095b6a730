"""Border Security Report: a webinar that took place on 28 October 2020, and the next one of its series.

The first is real, and so is what it says of its presenters; ten of them have no name here because none was published.
The second, its people and their organizations are made up.
"""

from datetime import date, time, timedelta

from events.models import Appearance, OfferCondition, Question
from webinar_site.demonstration import DEMO_ORGANIZER_EMAIL
from webinar_site.demonstration.content import (
    ALL_MAILS,
    HostContent,
    OfferContent,
    PartnerContent,
    PresenterContent,
    QuestionContent,
    SeriesContent,
    SessionContent,
    WebinarContent,
    Work,
)
from webinar_site.demonstration.dates import WEDNESDAY, weekday_ahead
from webinar_site.demonstration.portraits import Portrait
from webinar_site.demonstration.registrants import AMERICAS_AND_PACIFIC, CENTRAL_ASIA, EUROPE_AND_AFRICA

CENTRAL_ASIA_SLUG = "central-asia-border-challenges"
CASPIAN_SLUG = "caspian-border-challenges"

_UNCCT = "United Nations Counter-Terrorism Centre, United Nations Office of Counter-Terrorism (UNOCT-UNCCT)"
_MONITORING_TEAM = (
    "Analytical Support and Sanctions Monitoring Team of the 1267 and 1988 Sanctions Committees, United Nations"
)


def border_security_report(today: date) -> HostContent:
    """The host and its two webinars, the second of which lies at least three weeks after that day."""
    wednesday = weekday_ahead(today, WEDNESDAY, weeks=3)
    return HostContent(
        slug="border-security-report",
        name="Border Security Report",
        about=(
            "Border Security Report is a magazine for people who run, guard and equip borders. "
            "Its webinars put them in one room with the organizations that help them."
        ),
        website="https://border-security-report.example.org/",
        accent="#0b6b74",
        time_zone="Europe/London",
        organizer_email=DEMO_ORGANIZER_EMAIL,
        mails=ALL_MAILS,
        series=_SERIES,
        offer=_offer(valid_until=wednesday + timedelta(days=60)),
        webinars=(_CENTRAL_ASIA_WEBINAR, _caspian_webinar(wednesday)),
    )


def _offer(*, valid_until: date) -> OfferContent:
    return OfferContent(
        headline="50% off your first two months",
        percent_off=50,
        periods="your first two months",
        terms="For a new subscription to the webinar platform. A code cannot be passed on or paid out.",
        redeem_url="https://platform.example.org/subscribe/",
        code_prefix="BSR",
        conditions=(
            OfferCondition.Kind.REGISTERED,
            OfferCondition.Kind.ATTENDED,
            OfferCondition.Kind.ASKED,
            OfferCondition.Kind.REPLAY,
            OfferCondition.Kind.SURVEY,
        ),
        attended_minutes=45,
        valid_until=valid_until,
    )


_SERIES = SeriesContent(
    slug="border-security-region-by-region",
    title="Border security, region by region",
    about=(
        "Each webinar takes one region of the world: what threatens it, how its borders are run, and what has worked "
        "against terrorism and the organized crime that crosses borders with it. The United Nations Counter-Terrorism "
        "Centre gives the series together with Border Security Report and the World Border Security Congress; experts "
        "of the Global Compact, of the region and of its States speak in each."
    ),
    partners=(
        PartnerContent(
            name="United Nations Counter-Terrorism Centre (UNCCT)",
            parent="United Nations Office of Counter-Terrorism",
            website="https://www.un.org/counterterrorism/",
        ),
        PartnerContent(name="World Border Security Congress (WBSC)", website="https://world-border-congress.com/"),
    ),
)

_CENTRAL_ASIA_ABOUT = """
<p>A border is more than its passport desks and customs halls. In Central Asia, much of what threatens it passes beside
the crossing points, and most of it is carried by people who know how to earn from both crime and terror.</p>
<h3>The region</h3>
<p>Central Asia lies between European and Asian markets, and next to wars. Illicit drugs and small arms and light
weapons (SALW) move through it. Many of its people work abroad, and money of doubtful origin travels home among their
savings. Where politics and economies are unsteady, clans, gangs and violent extremists compete for the same
income.</p>
<p>Two groups from the region stand on the United Nations list of Al-Qaida’s affiliates: the Islamic Movement of
Uzbekistan (IMU, also called the Islamic Movement of Turkestan) and the Islamic Jihad Group, or Union. The IMU shows
how the two trades mix: a terrorist organization that paid its way with Afghan opiates.</p>
<p>A briefing of the Counter-Terrorism Committee in 2018 put the number of foreign terrorist fighters (FTFs) who had
left the region at 2,000 to 3,000, for Iraq and the Syrian Arab Republic among other places. What becomes of those who
return, or go on to a third country, is now a question for border services too.</p>
<h3>What makes it hard</h3>
<ul>
<li>Remote control points, difficult terrain, few means, and long stretches of “green border” that nobody watches</li>
<li>Disputes over borders and natural resources, which keep neighbours from working together</li>
<li>Police, customs and licensing authorities that seldom share what they know, also with Afghanistan; the Security
Council and the General Assembly ask for more</li>
<li>Weapons, explosives, chemical, biological, radiological and nuclear (CBRN) material and dual-use goods, which reach
terrorists across borders that leak</li>
<li>COVID-19: emergency powers, less travel and trade, and effects that differ from State to State</li>
</ul>
<h3>What there is to build on</h3>
<p>The United Nations Regional Centre for Preventive Diplomacy for Central Asia (UNRCCA) and the Joint Plan of Action
for Central Asia, the first regional agreement to meet terrorism with one approach. The Border Security and Management
(BSM) Programme of UNCCT helps States to stop fighters and forbidden cargo on land, in the air and at sea. Human rights
and the rule of law serve that aim; the United Nations Global Counter-Terrorism Strategy holds the two inseparable.</p>
<h3>What we discuss</h3>
<ul>
<li>Today’s threats, and where terrorism is heading</li>
<li>The ties between terrorism and transnational organized crime</li>
<li>The main gaps in border management, and what has closed some of them</li>
<li>Border strategies and action plans with counter-terrorism in them from the start</li>
<li>Managing risk and crisis during a pandemic</li>
</ul>
<h3>For whom</h3>
<p>Counter-terrorism coordinators, people who work at borders and in law enforcement, and experts of international,
regional and subregional organizations.</p>
"""

_YAKUBOVA = """
<p>Albina Yakubova joined the OSCE Secretariat in 2013, where she is Programme Management Officer in the Border Security
and Management Unit of the Transnational Threats Department. She plans, develops and runs its border projects: stopping
foreign terrorist fighters and criminals on the move, drawing and marking borders, cooperation around the Mediterranean,
and others.</p>
<p>Before, she was an expert on precursor control, the prevention of terrorism and the fight against human trafficking
for UNODC, in its Regional Office for Central Asia (ROCA) and at its headquarters with the INCB Secretariat. Behavioural
analysis and the handing on of what works are further strengths of hers.</p>
<p>She has two master’s degrees, in criminal law and in European law, and certificates in all of these fields.</p>
"""

_AHNFELDT_MOLLERUP = """
<p>Ulrik P. Ahnfeldt-Mollerup, Senior Political Affairs Officer at UNOCT, leads the section of UNCCT that helps Member
States to stop the financing of terrorism, to secure and manage their borders, and to prepare for cyber and CBRN
terrorism.</p>
<p>Until 2013 he headed the UNODC Programme Office in East Jerusalem. From 2008 to 2010 he was Terrorism Prevention
Officer at UNODC in Vienna, and for the five years before that he followed the sanctions against Al-Qaida and the
Taliban in the Security Council Affairs Division of the UN Department of Political Affairs. His career began in
Denmark, as Head of Section in the Ministry for Refugee, Migration and Integration Affairs.</p>
<p>He is a Master of Laws of Copenhagen University, and a Master of Arts in Law and Diplomacy of the Fletcher
School.</p>
"""

_EDITOR = PresenterContent(
    slug="editor-border-security-report",
    works=(
        Work("Editor", "Border Security Report", "BSR"),
        Work("Editor", "World Security Report", "WSR"),
        Work("Director", "World Border Security Congress", "WBSC"),
    ),
    biography="<p>Edits Border Security Report and World Security Report, and directs the congress.</p>",
    role=Appearance.Role.HOST,
)

_CENTRAL_ASIA_WEBINAR = WebinarContent(
    slug=CENTRAL_ASIA_SLUG,
    title="Central Asia Border Challenges",
    official_title=(
        "Border Challenges in Central Asia in the Context of Counter-Terrorism "
        "and Related Transnational Organized Crime"
    ),
    summary=(
        "Terrorism and organized crime use the same roads through Central Asia. "
        "Those who guard its borders, and those who help them, compare what they see and what works."
    ),
    about=_CENTRAL_ASIA_ABOUT,
    is_in_series=True,
    sessions=(
        SessionContent(
            on=date(2020, 10, 28),
            at=time(12, 30),
            time_zone="Europe/London",
            join_url="https://meet.example.org/central-asia",
        ),
    ),
    display_zones=(
        "America/New_York",
        "Europe/London",
        "Europe/Vienna",
        "Asia/Tashkent",
        "Asia/Bishkek",
        "Asia/Almaty",
    ),
    presenters=(
        _EDITOR,
        PresenterContent(
            slug="programme-manager-uncct",
            works=(Work("Programme Manager", _UNCCT, "UNCCT"),),
            role=Appearance.Role.HOST,
        ),
        PresenterContent(
            slug="head-of-border-security-uncct",
            works=(Work("Head of the Border Security and Management Unit", _UNCCT, "UNCCT"),),
            role=Appearance.Role.HOST,
        ),
        PresenterContent(
            slug="albina-yakubova",
            honorific="Ms",
            name="Albina Yakubova",
            works=(
                Work(
                    "Programme Manager, Transnational Threats Department",
                    "Organization for Security and Co-operation in Europe (OSCE)",
                    "OSCE",
                ),
            ),
            biography=_YAKUBOVA,
            role=Appearance.Role.HOST,
        ),
        PresenterContent(
            slug="political-affairs-officer-unrcca",
            works=(
                Work(
                    "Human Rights and Political Affairs Officer",
                    "United Nations Regional Centre for Preventive Diplomacy for Central Asia (UNRCCA)",
                    "UNRCCA",
                ),
            ),
            role=Appearance.Role.HOST,
        ),
        PresenterContent(
            slug="deputy-coordinator-bomca",
            works=(
                Work(
                    "Deputy Project Coordinator and Deputy Consortium Leader, "
                    "Border Management Programme in Central Asia (BOMCA 9)",
                    "State Border Guard of Latvia",
                    "BOMCA",
                ),
            ),
            role=Appearance.Role.HOST,
        ),
        PresenterContent(
            slug="expert-sanctions-monitoring-team",
            works=(Work("Expert", _MONITORING_TEAM, "UN"),),
            role=Appearance.Role.HOST,
        ),
        PresenterContent(
            slug="coordinator-sanctions-monitoring-team",
            works=(Work("Coordinator", _MONITORING_TEAM, "UN"),),
            role=Appearance.Role.HOST,
        ),
        PresenterContent(
            slug="global-firearms-programme-unodc",
            works=(Work("Global Firearms Programme", "United Nations Office on Drugs and Crime (UNODC)", "UNODC"),),
            role=Appearance.Role.HOST,
        ),
        PresenterContent(
            slug="associate-programme-officer-uncct",
            works=(Work("Associate Programme Officer, Border Security and Management Unit", _UNCCT, "UNCCT"),),
            role=Appearance.Role.HOST,
        ),
        PresenterContent(
            slug="senior-expert-uncct",
            works=(Work("Senior Expert", _UNCCT, "UNCCT"),),
            role=Appearance.Role.HOST,
        ),
        PresenterContent(
            slug="ulrik-p-ahnfeldt-mollerup",
            honorific="Mr",
            name="Ulrik P. Ahnfeldt-Mollerup",
            works=(Work("Chief, Countering Terrorism Section", _UNCCT, "UNCCT"),),
            biography=_AHNFELDT_MOLLERUP,
            role=Appearance.Role.HOST,
        ),
    ),
    attended_count=115,
    replay_url="https://replays.example.org/central-asia-border-challenges/",
    recommended=(CASPIAN_SLUG,),
)

_CASPIAN_ABOUT = """
<p>Five countries share the Caspian Sea, and no ship can leave it for the ocean. What crosses it crosses between
neighbours: grain and oil, lorries on night ferries, fishing boats that nobody registered. A good place to hide a
consignment, and a good place to learn how to find one.</p>
<h3>What we discuss</h3>
<ul>
<li>Ferries and lorries: inspecting what may not wait</li>
<li>Small boats, sturgeon and fuel, and who else uses their routes</li>
<li>Five coast guards, one picture of the sea</li>
<li>A container’s papers from quay to rail yard, and where they go astray</li>
</ul>
<h3>Three sessions</h3>
<p>The same programme is given three times on one day, each time at an hour that suits another part of the world, with
time for that audience’s questions. Choose one; you can change it until it begins.</p>
"""


def _caspian_webinar(wednesday: date) -> WebinarContent:
    return WebinarContent(
        slug=CASPIAN_SLUG,
        title="Caspian Border Challenges",
        official_title="Ports, Ferries and Shared Waters: Border Management around the Caspian Sea",
        summary=(
            "Five States, one closed sea, and ferries that leave on time. "
            "How border services around the Caspian inspect, share and decide without stopping trade."
        ),
        about=_CASPIAN_ABOUT,
        interpretation="The first session is interpreted into Russian",
        is_in_series=True,
        sessions=(
            SessionContent(
                on=wednesday,
                at=time(10, 0),
                time_zone="Asia/Tashkent",
                label="Suits the Caucasus, Central and South Asia",
                join_url="https://meet.example.org/caspian-morning",
                capacity=60,
                registrants=CENTRAL_ASIA,
            ),
            SessionContent(
                on=wednesday,
                at=time(14, 0),
                time_zone="Europe/London",
                label="Suits Europe, Africa and the Middle East",
                join_url="https://meet.example.org/caspian-afternoon",
                # Four of those who come wait for a place.
                capacity=len(EUROPE_AND_AFRICA) - 4,
                registrants=EUROPE_AND_AFRICA,
            ),
            SessionContent(
                on=wednesday,
                at=time(14, 0),
                time_zone="America/New_York",
                label="Suits the Americas and the Pacific",
                join_url="https://meet.example.org/caspian-evening",
                capacity=len(AMERICAS_AND_PACIFIC) + 3,
                registrants=AMERICAS_AND_PACIFIC,
            ),
        ),
        display_zones=(
            "America/New_York",
            "Europe/London",
            "Europe/Vienna",
            "Asia/Baku",
            "Asia/Tashkent",
            "Asia/Almaty",
        ),
        presenters=(
            PresenterContent(
                slug="siobhan-ni-bhriain",
                name="Siobhán Ní Bhriain",
                works=(Work("Contributing editor", "Border Security Report", "BSR"),),
                biography=(
                    "<p>Sailed as a ship’s officer for eleven years before she began to write about ports. "
                    "She chairs the three sessions.</p>"
                ),
                portrait=Portrait("long", "#f2d3bb", "#8a4a2a", "#0b6b74", "#c9dfe2"),
                role=Appearance.Role.MODERATOR,
            ),
            PresenterContent(
                slug="leyla-memmedova",
                honorific="Dr",
                name="Leyla Məmmədova",
                works=(Work("Head of Research", "Caspian Ports Forum", "CPF"),),
                biography=(
                    "<p>Counts what waits in ports, and why. Her study of eight ferry lines showed that most delays "
                    "begin with a missing paper, not with an inspection.</p>"
                ),
                portrait=Portrait("long", "#e2b48f", "#2b211d", "#39406f", "#f1ddc4", has_glasses=True),
            ),
            PresenterContent(
                slug="nurlan-abdirakhmanov",
                name="Нұрлан Әбдірахманов",
                works=(Work("Harbour Master (retired)", "Port of Aktau", "Aktau"),),
                biography="<p>Thirty years on the quay, the last nine in charge of it. Speaks in Russian.</p>",
                portrait=Portrait("beard", "#c68f65", "#8d8f94", "#2f3a41", "#dfe0e4"),
            ),
            PresenterContent(
                slug="jonas-kruger-dlamini",
                name="Jonas Krüger-Dlamini",
                works=(
                    Work("Trainer, small craft and coastal patrol", "Open Waters Training", "OWT"),
                    Work("Visiting lecturer", "Institute for Maritime Law", "IML"),
                ),
                role=Appearance.Role.PANELLIST,
            ),
        ),
        questions=(
            QuestionContent(
                wording="Your organization",
                answers=("Ministry of Transport", "", "Coast guard", "", "University", "Freight forwarder"),
            ),
            QuestionContent(
                wording="What describes your work best?",
                kind=Question.Kind.ONE_OF,
                options=(
                    "Border service or customs",
                    "Police or prosecution",
                    "Port, carrier or forwarder",
                    "Research or teaching",
                    "Something else",
                ),
                answers=("Border service or customs", "Port, carrier or forwarder", "", "Research or teaching"),
            ),
            QuestionContent(
                wording="What would you like to ask the presenters?",
                kind=Question.Kind.LONG_TEXT,
                help_text="They read it before the day.",
                answers=(
                    "",
                    "How do you choose which lorry to open when the ferry leaves in forty minutes?",
                    "",
                    "",
                    "",
                    "Who keeps the register of small boats, and who may read it?",
                    "",
                ),
            ),
            QuestionContent(
                wording="How much of it can you use in your work?",
                kind=Question.Kind.ONE_OF,
                options=("Most of it", "Some of it", "Little", "Nothing"),
                asked=Question.Asked.SURVEY,
            ),
            QuestionContent(
                wording="Which region should the series turn to next?",
                kind=Question.Kind.SOME_OF,
                options=("Black Sea", "Horn of Africa", "Sahel", "South-East Asia"),
                asked=Question.Asked.SURVEY,
            ),
            QuestionContent(
                wording="What should we do better?", kind=Question.Kind.LONG_TEXT, asked=Question.Asked.SURVEY
            ),
        ),
        recommended=(CENTRAL_ASIA_SLUG,),
    )
