"""What is said: everyday sentences of our own that carry no emotion, in three languages."""

from dataclasses import dataclass
from itertools import product
from typing import Final, Literal

LanguageCode = Literal["en", "de", "fr"]


@dataclass(frozen=True)
class Sentences:
    """`scripted` are spoken by everybody; the others are put together by `pattern`, each once."""

    scripted: tuple[str, ...]
    pattern: str
    subjects: tuple[str, ...]
    actions: tuple[tuple[str, str], ...]
    times: tuple[str, ...]

    def improvised(self) -> list[str]:
        """Every sentence that the pattern gives, in a fixed order."""
        return [
            self.pattern.format(subject=subject, object=action[0], verb=action[1], time=time)
            for subject, action, time in product(self.subjects, self.actions, self.times)
        ]


ENGLISH: Final = Sentences(
    scripted=(
        "The blue cup is standing beside the sink.",
        "They will bring the chairs back on Thursday.",
        "There is a map of the town on the wall.",
        "The train to the coast leaves from the other side.",
        "She has put the papers into the lower drawer.",
        "We can carry the boxes upstairs in the afternoon.",
    ),
    pattern="{subject} {verb} {object} {time}.",
    subjects=(
        "My neighbour",
        "The teacher",
        "Your brother",
        "The woman from the office",
        "Our driver",
        "The man next door",
        "My aunt",
        "The student",
    ),
    actions=(
        ("the keys on the shelf", "put"),
        ("the bag to the station", "took"),
        ("the letter in the kitchen", "read"),
        ("the window half open", "left"),
        ("the number on the paper", "wrote"),
        ("the table to the wall", "moved"),
        ("some bread at the corner", "bought"),
        ("the bicycle in the yard", "cleaned"),
    ),
    times=(
        "this morning",
        "yesterday",
        "on Monday",
        "after lunch",
        "before the meeting",
        "at six o'clock",
        "in the evening",
        "last week",
    ),
)
GERMAN: Final = Sentences(
    scripted=(
        "Die blaue Tasse steht neben der Spüle.",
        "Am Donnerstag bringen sie die Stühle zurück.",
        "An der Wand hängt ein Plan der Stadt.",
        "Der Zug an die Küste fährt auf der anderen Seite ab.",
        "Sie hat die Papiere in die untere Schublade gelegt.",
        "Am Nachmittag können wir die Kisten nach oben tragen.",
    ),
    pattern="{subject} hat {time} {object} {verb}.",
    subjects=(
        "Mein Nachbar",
        "Die Lehrerin",
        "Dein Bruder",
        "Die Frau aus dem Büro",
        "Unser Fahrer",
        "Der Mann von nebenan",
        "Meine Tante",
        "Der Student",
    ),
    actions=(
        ("die Schlüssel auf das Regal", "gelegt"),
        ("die Tasche zum Bahnhof", "gebracht"),
        ("den Brief in der Küche", "gelesen"),
        ("das Fenster halb offen", "gelassen"),
        ("die Nummer auf das Papier", "geschrieben"),
        ("den Tisch an die Wand", "geschoben"),
        ("an der Ecke etwas Brot", "gekauft"),
        ("das Fahrrad im Hof", "geputzt"),
    ),
    times=(
        "heute Morgen",
        "gestern",
        "am Montag",
        "nach dem Essen",
        "vor der Sitzung",
        "um sechs Uhr",
        "am Abend",
        "letzte Woche",
    ),
)
FRENCH: Final = Sentences(
    scripted=(
        "La tasse bleue est à côté de l'évier.",
        "Ils rapportent les chaises jeudi prochain.",
        "Il y a un plan de la ville sur le mur.",
        "Le train pour la côte part de l'autre côté.",
        "Elle a mis les papiers dans le tiroir du bas.",
        "Nous pouvons monter les cartons dans l'après-midi.",
    ),
    pattern="{subject} a {verb} {object} {time}.",
    subjects=(
        "Mon voisin",
        "La maîtresse",
        "Ton frère",
        "La dame du bureau",
        "Notre chauffeur",
        "Le monsieur d'à côté",
        "Ma tante",
        "L'étudiant",
    ),
    actions=(
        ("les clés sur l'étagère", "posé"),
        ("le sac à la gare", "porté"),
        ("la lettre dans la cuisine", "lu"),
        ("la fenêtre entrouverte", "laissé"),
        ("le numéro sur le papier", "écrit"),
        ("la table contre le mur", "poussé"),
        ("du pain au coin de la rue", "acheté"),
        ("le vélo dans la cour", "nettoyé"),
    ),
    times=(
        "ce matin",
        "hier",
        "lundi",
        "après le repas",
        "avant la réunion",
        "à six heures",
        "dans la soirée",
        "la semaine dernière",
    ),
)
SENTENCES: Final[dict[LanguageCode, Sentences]] = {"en": ENGLISH, "de": GERMAN, "fr": FRENCH}
