"""How Octopus says no: an ErrorResult with a number, a text in the caller's language, and a technical line.

Source: reference, sections 1.3 and 8. The numbers are the vendor's; the texts are worded here.
"""

from __future__ import annotations

from fakes.octopus import render

LANGUAGES = ("nl", "fr", "en", "de")  # localeId 1 to 4; 0 is the dossier's own language

_NOT_FOUND = frozenset({-34, -59, -61, -73})
_UNAUTHORISED = frozenset({-1, -2, -6, -68})
_FORBIDDEN = frozenset({-3, -5, -11, -12})

# What could not be read or written, for the codes whose texts differ in nothing else: (nl, fr, en, de).
_THINGS = {
    "relation": ("De relatie", "La relation", "The relation", "Die Relation"),
    "bookyears": ("De boekjaren", "Les exercices", "The bookyears", "Die Geschäftsjahre"),
    "journals": ("De dagboeken", "Les journaux", "The journals", "Die Journale"),
    "booking": ("De boeking", "L'écriture", "The booking", "Die Buchung"),
    "balancing": ("De afpunting", "Le lettrage", "The balancing", "Der Ausgleich"),
    "balancings": ("De gewijzigde afpuntingen", "Les lettrages modifiés", "The modified balancings", "Die Ausgleiche"),
    "account": ("De rekening", "Le compte", "The account", "Das Konto"),
    "accounts": ("De rekeningen", "Les comptes", "The accounts", "Die Konten"),
    "amounts": ("De rekeningsaldi", "Les soldes des comptes", "The account amounts", "Die Kontensalden"),
    "balance": ("Het dagboeksaldo", "Le solde du journal", "The journal balance", "Der Journalsaldo"),
    "invoice": ("De factuur", "La facture", "The invoice", "Die Rechnung"),
    "delivery": ("De leveringsbon", "Le bon de livraison", "The delivery note", "Der Lieferschein"),
    "vat_codes": ("De btw-codes", "Les codes TVA", "The VAT codes", "Die MwSt.-Codes"),
    "cost_centre": ("De kostenplaats", "Le centre de frais", "The cost centre", "Die Kostenstelle"),
    "cost_centres": ("De kostenplaatsen", "Les centres de frais", "The cost centres", "Die Kostenstellen"),
    "product": ("Het artikel", "L'article", "The product", "Der Artikel"),
    "products": ("De artikelen", "Les articles", "The products", "Die Artikel"),
    "groups": ("De artikelgroepen", "Les groupes d'articles", "The product groups", "Die Artikelgruppen"),
    "relations": ("De relaties", "Les relations", "The relations", "Die Relationen"),
    "report": ("Het rapport", "Le rapport", "The report", "Der Bericht"),
    "reminder": ("De aanmaning", "Le rappel", "The reminder", "Die Mahnung"),
}
_READ = ("{} kon niet gelezen worden.", "{} : lecture impossible.", "{} could not be read.", "{}: Lesen misslungen.")
_SAVE = ("{} werd niet bewaard.", "{} : enregistrement impossible.", "{} was not saved.", "{}: nicht gespeichert.")
_GONE = ("{} bestaat niet.", "{} n'existe pas.", "{} does not exist.", "{} existiert nicht.")
_EXPORT = ("{} kon niet uitgevoerd worden.", "{} : exportation impossible.", "{}: export failed.", "{}: kein Export.")

_PATTERNED: dict[int, tuple[tuple[str, ...], str]] = {
    -7: (_SAVE, "relation"),
    -8: (_READ, "bookyears"),
    -24: (_SAVE, "booking"),
    -26: (_SAVE, "balancing"),
    -27: (_SAVE, "account"),
    -33: (_READ, "booking"),
    -34: (_GONE, "booking"),
    -35: (_SAVE, "booking"),
    -36: (_READ, "journals"),
    -37: (_SAVE, "invoice"),
    -42: (_READ, "vat_codes"),
    -43: (_SAVE, "delivery"),
    -44: (_READ, "accounts"),
    -45: (_READ, "cost_centres"),
    -46: (_READ, "products"),
    -47: (_READ, "relations"),
    -48: (_READ, "groups"),
    -49: (_SAVE, "product"),
    **dict.fromkeys((-53, -54, -55, -56, -57, -58, -66), (_READ, "report")),
    -59: (_GONE, "delivery"),
    -60: (_READ, "delivery"),
    -61: (_GONE, "invoice"),
    -62: (_READ, "invoice"),
    -63: (_SAVE, "delivery"),
    -64: (_SAVE, "invoice"),
    -65: (_READ, "balancings"),
    -67: (_READ, "balance"),
    -71: (_EXPORT, "invoice"),
    -72: (_EXPORT, "delivery"),
    -73: (_GONE, "reminder"),
    -74: (_EXPORT, "reminder"),
    -76: (_SAVE, "cost_centre"),
    -77: (_READ, "amounts"),
}

# Code: (nl, fr, en, de).
TEXTS: dict[int, tuple[str, ...]] = {
    0: ("In orde.", "En ordre.", "Fine.", "In Ordnung."),
    -1: ("Aanmelden geweigerd.", "Connexion refusée.", "Log-in refused.", "Anmeldung abgelehnt."),
    -2: ("Niet aangemeld.", "Non authentifié.", "Not authenticated.", "Nicht angemeldet."),
    -3: (
        "Geen toegang tot dit dossier.",
        "Pas d'accès à ce dossier.",
        "No access to this dossier.",
        "Kein Zugriff auf dieses Dossier.",
    ),
    -4: (
        "Het dossier kon niet geopend worden.",
        "Le dossier n'a pas pu être ouvert.",
        "The dossier could not be opened.",
        "Das Dossier konnte nicht geöffnet werden.",
    ),
    -5: ("Het dossier is uitgeschakeld.", "Le dossier est désactivé.", "The dossier is disabled.", "Dossier gesperrt."),
    -6: ("Geen dossier geopend.", "Aucun dossier ouvert.", "No dossier is open.", "Kein Dossier geöffnet."),
    -9: ("Onbekend boekjaar.", "Exercice inconnu.", "Unknown bookyear.", "Unbekanntes Geschäftsjahr."),
    -10: ("Onbekend dagboek.", "Journal inconnu.", "Unknown journal.", "Unbekanntes Journal."),
    -11: ("Het dagboek is afgesloten.", "Le journal est clôturé.", "The journal is closed.", "Journal abgeschlossen."),
    -12: (
        "Het dagboek is geopend door een andere gebruiker.",
        "Le journal est ouvert par un autre utilisateur.",
        "The journal is opened by another user.",
        "Das Journal ist von einem anderen Benutzer geöffnet.",
    ),
    -13: (
        "Ongeldig documentnummer voor dit dagboek: het moet oplopen en aansluiten op het laatste.",
        "Numéro de document non valable pour ce journal : il doit suivre le dernier.",
        "Document number not allowed in this journal: it must rise and follow the last one.",
        "Ungültige Belegnummer für dieses Journal: Sie muss auf die letzte folgen.",
    ),
    -14: (
        "De periode hoort niet bij het boekjaar.",
        "La période n'appartient pas à l'exercice.",
        "The period is not in the bookyear.",
        "Die Periode gehört nicht zum Geschäftsjahr.",
    ),
    -15: (
        "De periode is niet toegankelijk: beveiligd of afgesloten.",
        "La période n'est pas accessible : protégée ou clôturée.",
        "The period is not accessible: protected or closed.",
        "Die Periode ist nicht zugänglich: geschützt oder abgeschlossen.",
    ),
    -16: ("Onbekende relatie.", "Relation inconnue.", "Unknown relation.", "Unbekannte Relation."),
    -17: (
        "De documentdatum ontbreekt.",
        "La date du document manque.",
        "The document date is missing.",
        "Das Belegdatum fehlt.",
    ),
    -18: ("De vervaldatum ontbreekt.", "L'échéance manque.", "The expiry date is missing.", "Fälligkeitsdatum fehlt."),
    -19: ("Onbekende munt.", "Devise inconnue.", "Unknown currency.", "Unbekannte Währung."),
    -20: (
        "De wisselkoers is niet toegelaten.",
        "Le taux de change n'est pas admis.",
        "The exchange rate is not allowed.",
        "Der Wechselkurs ist nicht zulässig.",
    ),
    -21: ("Onbekende rekening.", "Compte inconnu.", "Unknown account.", "Unbekanntes Konto."),
    -22: ("Onbekende btw-code.", "Code TVA inconnu.", "Unknown VAT code.", "Unbekannter MwSt.-Code."),
    -23: (
        "Maatstaf en btw van een lijn hebben een verschillend teken.",
        "La base et la TVA d'une ligne ont un signe différent.",
        "Base and VAT of a line differ in sign.",
        "Grundlage und MwSt. einer Zeile haben verschiedene Vorzeichen.",
    ),
    -25: (
        "Onbekend type van financiële lijn.",
        "Type de ligne financière inconnu.",
        "Unknown financial line type.",
        "Unbekannter Typ der Finanzzeile.",
    ),
    -28: ("De rekening bestaat al.", "Le compte existe déjà.", "The account exists already.", "Konto existiert schon."),
    -29: (
        "Het dagboek staat in de verkeerde modus: facturen of boekingen.",
        "Le journal est dans le mauvais mode : factures ou écritures.",
        "The journal is in the wrong mode: invoices or bookings.",
        "Das Journal ist im falschen Modus: Rechnungen oder Buchungen.",
    ),
    -30: (
        "Ongeldig btw-recuperatiepercentage.",
        "Pourcentage de récupération TVA non valable.",
        "Invalid VAT recovery percentage.",
        "Ungültiger MwSt.-Abzug.",
    ),
    -31: (
        "Ongeldig beroepspercentage.",
        "Pourcentage professionnel non valable.",
        "Invalid professional percentage.",
        "Ungültiger Berufsanteil.",
    ),
    -32: (
        "Ongeldig fiscaal percentage.",
        "Pourcentage fiscal non valable.",
        "Invalid fiscal percentage.",
        "Ungültiger Steueranteil.",
    ),
    -38: (
        "Het dagboek is ongeldig voor deze bewerking.",
        "Le journal n'est pas valable pour cette opération.",
        "The journal is invalid for this operation.",
        "Das Journal ist für diesen Vorgang ungültig.",
    ),
    -39: ("Onbekend artikel.", "Article inconnu.", "Unknown product.", "Unbekannter Artikel."),
    -40: ("Onbekende kostenplaats.", "Centre de frais inconnu.", "Unknown cost centre.", "Unbekannte Kostenstelle."),
    -41: (
        "De kostenplaats is afgesloten.",
        "Le centre de frais est clôturé.",
        "The cost centre is closed.",
        "Die Kostenstelle ist abgeschlossen.",
    ),
    -50: (
        "Op deze rekening kan niet geboekt worden.",
        "Ce compte n'est pas un compte d'imputation.",
        "The account is not a booking account.",
        "Auf dieses Konto kann nicht gebucht werden.",
    ),
    -51: ("Te veel verbindingen.", "Trop de connexions.", "Too many connections.", "Zu viele Verbindungen."),
    -52: (
        "Het dossier kon niet gesloten worden.",
        "Le dossier n'a pas pu être fermé.",
        "The dossier could not be closed.",
        "Das Dossier konnte nicht geschlossen werden.",
    ),
    -68: (
        "De software-house-uuid is ongeldig.",
        "L'uuid de la maison de logiciels n'est pas valable.",
        "The software house uuid is invalid.",
        "Die UUID des Softwarehauses ist ungültig.",
    ),
    -69: (
        "De kortingsinstelling is ongeldig.",
        "La configuration de l'escompte n'est pas valable.",
        "The discount configuration is invalid.",
        "Die Skontoeinstellung ist ungültig.",
    ),
    -70: (
        "Het aanmaningspercentage is ongeldig.",
        "Le pourcentage de rappel n'est pas valable.",
        "The reminder percentage is invalid.",
        "Der Mahnprozentsatz ist ungültig.",
    ),
    -75: (
        "De btw-code is van het verkeerde type.",
        "Le code TVA est du mauvais type.",
        "The VAT code is of the wrong type.",
        "Der MwSt.-Code ist vom falschen Typ.",
    ),
    -78: (
        "De CODA-versie ontbreekt.",
        "La version CODA manque.",
        "The CODA version info is missing.",
        "Die CODA-Version fehlt.",
    ),
    -79: ("Ongeldige parameter.", "Paramètre non valable.", "Invalid parameter.", "Ungültiger Parameter."),
    **{
        code: tuple(text.format(thing) for text, thing in zip(pattern, _THINGS[name], strict=True))
        for code, (pattern, name) in _PATTERNED.items()
    },
}

MISSING_PARAMETER = "Request parameters are invalid or missing"


def status_of(code: int) -> int:
    """The HTTP status that goes with an error number."""
    if code in _UNAUTHORISED:
        return 401
    if code in _FORBIDDEN:
        return 403
    return 404 if code in _NOT_FOUND else 400


def text_of(code: int, language: str) -> str | None:
    """The message for a number; None for a number that has none."""
    return TEXTS[code][LANGUAGES.index(language)] if code in TEXTS else None


class Refused(Exception):
    """Octopus refuses. Without `code` the answer holds the technical line only; `page` is a page for people instead."""

    def __init__(self, status: int, technical: str, code: int | None = None, page: bool = False) -> None:
        super().__init__(f"{status} {code if code is not None else ''} {technical}")
        self.status, self.technical, self.code, self.page = status, technical, code, page

    def body(self, language: str) -> str:
        if self.page:
            return f"<html><head><title>Error</title></head><body><h1>HTTP Status {self.status}</h1></body></html>"
        message = None if self.code is None else text_of(self.code, language)
        return render.dumps({"errorCode": self.code, "errorMessage": message, "technicalInfo": self.technical})


def business(code: int, technical: str) -> Refused:
    """A refusal with one of the vendor's numbers."""
    return Refused(status_of(code), technical, code)


def bad_parameters() -> Refused:
    """A required parameter is absent, misspelt or not readable."""
    return Refused(400, MISSING_PARAMETER)


def nothing_found(what: str) -> Refused:
    """There is nothing: a 404, never an empty list."""
    return Refused(404, f"No {what} found")


def unreadable() -> Refused:
    """The object in the body could not be read: a page, not JSON."""
    return Refused(500, "unreadable", page=True)
