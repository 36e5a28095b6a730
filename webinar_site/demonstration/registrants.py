"""Who has registered in the demonstration: nobody real, from many places, at addresses that lead nowhere."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Registrant:
    name: str
    email: str
    time_zone: str
    language: str = "en"


CENTRAL_ASIA = (
    Registrant("Gulnora Yusupova", "gulnora.yusupova@example.org", "Asia/Tashkent"),
    Registrant("Азамат Токтосунов", "azamat.toktosunov@example.com", "Asia/Bishkek"),
    Registrant("Айгерім Сейітова", "aigerim.seiitova@example.net", "Asia/Almaty"),
    Registrant("Фирӯз Раҳимов", "firuz.rahimov@example.org", "Asia/Dushanbe"),
    Registrant("Oguljan Annaýewa", "oguljan.annayewa@example.com", "Asia/Ashgabat"),
    Registrant("Priya Raghunathan", "priya.raghunathan@example.net", "Asia/Kolkata"),
    Registrant("مريم احمدزی", "maryam.ahmadzai@example.org", "Asia/Kabul"),
    Registrant("Батболд Ганзориг", "batbold.ganzorig@example.com", "Asia/Ulaanbaatar"),
    Registrant("Kamran Əliyev", "kamran.aliyev@example.net", "Asia/Baku"),
    Registrant("ნინო ბერიძე", "nino.beridze@example.org", "Asia/Tbilisi"),
    Registrant("Արամ Պետրոսյան", "aram.petrosyan@example.com", "Asia/Yerevan"),
    Registrant("Dilshod Karimov", "dilshod.karimov@example.net", "Asia/Samarkand"),
)

EUROPE_AND_AFRICA = (
    Registrant("Anneke van der Velde", "anneke.vandervelde@example.org", "Europe/Amsterdam"),
    Registrant("Oluwaseun Adébáyọ̀", "oluwaseun.adebayo@example.com", "Africa/Lagos"),
    Registrant("Małgorzata Źdźbło", "malgorzata.zdzblo@example.net", "Europe/Warsaw"),
    Registrant("Þórunn Sigurðardóttir", "thorunn.sigurdardottir@example.org", "Atlantic/Reykjavik"),
    Registrant("يوسف بن علي", "youssef.benali@example.com", "Africa/Tunis", "ar"),
    Registrant("Γεωργία Παπαδοπούλου", "georgia.papadopoulou@example.net", "Europe/Athens"),
    Registrant("Bridget O’Sullivan", "bridget.osullivan@example.org", "Europe/Dublin"),
    Registrant("Çağla Öztürk", "cagla.ozturk@example.com", "Europe/Istanbul"),
    Registrant("Jean-Baptiste N’Guessan", "jb.nguessan@example.net", "Africa/Abidjan"),
    Registrant("Олена Ковальчук", "olena.kovalchuk@example.org", "Europe/Kyiv"),
    Registrant("Wanjirũ Kamau", "wanjiru.kamau@example.com", "Africa/Nairobi"),
    Registrant("Søren Åkjær", "soren.akjaer@example.net", "Europe/Copenhagen"),
    Registrant("Zsófia Szőke", "zsofia.szoke@example.org", "Europe/Budapest"),
    Registrant("Tomáš Hřebíček", "tomas.hrebicek@example.com", "Europe/Prague"),
    Registrant("Thandiwe Mkhize", "thandiwe.mkhize@example.net", "Africa/Johannesburg"),
    Registrant("Liene Bērziņa", "liene.berzina@example.org", "Europe/Riga"),
)

AMERICAS_AND_PACIFIC = (
    Registrant("Guadalupe Ibáñez Peña", "guadalupe.ibanez@example.com", "America/Mexico_City"),
    Registrant("Noah Thunderchild", "noah.thunderchild@example.net", "America/Regina"),
    Registrant("João Gonçalves", "joao.goncalves@example.org", "America/Sao_Paulo"),
    Registrant("Kealoha Kahananui", "kealoha.kahananui@example.com", "Pacific/Honolulu"),
    Registrant("Marisol Quispe Mamani", "marisol.quispe@example.net", "America/La_Paz"),
    Registrant("Denise Whitfield", "denise.whitfield@example.org", "America/New_York"),
    Registrant("Étienne Lévesque", "etienne.levesque@example.com", "America/Toronto"),
    Registrant("Ximena Núñez", "ximena.nunez@example.net", "America/Santiago"),
    Registrant("Marcus Bell", "marcus.bell@example.org", "America/Chicago"),
    Registrant("Te Aroha Parata", "tearoha.parata@example.com", "Pacific/Auckland"),
    Registrant("Renée Baptiste", "renee.baptiste@example.net", "America/Port_of_Spain"),
    Registrant("Hyun-woo Park", "hyunwoo.park@example.org", "America/Los_Angeles"),
    Registrant("佐藤 美咲", "misaki.sato@example.com", "Asia/Tokyo"),
    Registrant("María José Cifuentes", "mj.cifuentes@example.net", "America/Bogota"),
    Registrant("Samuel Okafor-Reyes", "samuel.okaforreyes@example.org", "America/New_York"),
    Registrant("Isla MacKenzie", "isla.mackenzie@example.com", "America/Halifax"),
    Registrant("陳怡君", "yichun.chen@example.net", "Asia/Taipei"),
)

WATER_PEOPLE = (
    Registrant("Светлана Ибраимова", "svetlana.ibraimova@example.org", "Asia/Bishkek"),
    Registrant("Ерлан Қасымов", "erlan.kassymov@example.com", "Asia/Almaty"),
    Registrant("Mohira Abdullayeva", "mohira.abdullayeva@example.net", "Asia/Tashkent"),
    Registrant("Игорь Щербаков", "igor.shcherbakov@example.org", "Asia/Omsk"),
    Registrant("Lê Quang Đạt", "quangdat.le@example.com", "Asia/Ho_Chi_Minh"),
    Registrant("Agnieszka Świątek", "agnieszka.swiatek@example.net", "Europe/Warsaw"),
    Registrant("نور الخطيب", "nour.alkhatib@example.org", "Asia/Amman", "ar"),
    Registrant("Matthias Groß", "matthias.gross@example.com", "Europe/Berlin"),
    Registrant("Siti Rahmawati", "siti.rahmawati@example.net", "Asia/Jakarta"),
    Registrant("Ngozi Eze", "ngozi.eze@example.org", "Africa/Lagos"),
)
