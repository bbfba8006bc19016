"""The table of kinds: what each is drawn with, and the words that may name it."""

from dataclasses import dataclass
from pathlib import Path

GLYPH_FONT = "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"

IRREGULAR_PLURALS = {
    "mouse": "mice", "wolf": "wolves", "sheep": "sheep", "deer": "deer", "fish": "fish", "leaf": "leaves",
    "goose": "geese", "die": "dice", "dice": "dice", "scissors": "pairs of scissors", "glasses": "pairs of glasses",
    "jeans": "pairs of jeans", "socks": "pairs of socks", "gloves": "pairs of gloves", "cherries": "pairs of cherries",
    "grapes": "bunches of grapes", "fries": "portions of fries", "chips": "portions of chips", "loaf": "loaves",
    "noodles": "bowls of noodles", "pancakes": "stacks of pancakes", "spaghetti": "plates of spaghetti",
    "popcorn": "boxes of popcorn", "bacon": "strips of bacon", "broccoli": "heads of broccoli", "corn": "ears of corn",
    "coffee": "cups of coffee", "tea": "cups of tea", "beer": "mugs of beer", "wine": "glasses of wine",
    "milk": "glasses of milk", "bread": "loaves of bread", "cheese": "pieces of cheese", "sushi": "pieces of sushi",
    "pasta": "plates of pasta", "chocolate": "bars of chocolate", "candy": "candies", "pins": "sets of bowling pins",
    "bowling": "sets of bowling pins", "eyeglasses": "pairs of eyeglasses", "flames": "fires", "keys": "pianos",
    "strawberry": "strawberries", "mallard": "mallards", "shrimp": "shrimps", "squid": "squids", "koala": "koalas",
    "garlic": "heads of garlic", "sunshine": "suns", "moose": "moose", "rhinoceros": "rhinoceroses", "bread loaf": "loaves",
    "knife": "knives", "currency": "coins", "swine": "swine", "cattle": "cattle", "mail": "letters", "cash": "bags of cash",
}


def plural_of(phrase: str) -> str:
    """The plural of an English noun phrase, by its head word."""
    for joint in (" of ", " with ", " in a ", " on "):
        head, found, rest = phrase.partition(joint)
        if found:
            return plural_of(head) + found + rest
    words = phrase.split(" ")
    last = words[-1]
    if last in IRREGULAR_PLURALS:
        # A mass noun's counted form ("cups of coffee") swallows a plain modifier but keeps an adjective first.
        words[-1] = IRREGULAR_PLURALS[last]
    elif last.endswith(("s", "x", "ch", "sh")):
        words[-1] = last + "es"
    elif last.endswith("y") and last[-2] not in "aeiou":
        words[-1] = last[:-1] + "ies"
    elif last in ("tomato", "potato", "buffalo"):
        words[-1] = last + "es"
    else:
        words[-1] = last + "s"
    return " ".join(words)


PLURAL_ONLY = {
    "scissors", "glasses", "jeans", "socks", "gloves", "cherries", "grapes", "noodles", "pancakes", "fries", "chips",
    "bowling pins", "bowling", "eyeglasses", "purple grapes", "red cherries", "french fries", "flames", "piano keys",
    "blue jeans", "dice", "mittens", "denim trousers", "footwear knits",
}
MASS = {
    "broccoli", "corn", "garlic", "bread", "cheese", "bacon", "popcorn", "sushi", "spaghetti", "pasta", "chocolate",
    "coffee", "hot coffee", "green tea", "tea", "beer", "wine", "red wine", "milk", "sunshine", "fire", "ice cream",
    "soft ice cream", "frost", "poultry", "cattle", "cash", "mail", "maize", "cheddar", "foliage", "public transport",
}


def singular_of(phrase: str) -> str:
    """The phrase with the article it needs when one thing of the kind is named."""
    if phrase in PLURAL_ONLY or phrase in MASS:
        return phrase if phrase in PLURAL_ONLY else "some " + phrase
    sounds_vowel = phrase[0] in "aeiou" and not phrase.startswith(("unicorn", "uf", "eu"))
    return ("an " if sounds_vowel else "a ") + phrase


@dataclass(frozen=True)
class Kind:
    """One kind of thing: its glyph, its names, and the names that only the evaluation uses."""

    index: int
    glyph: str
    name: str
    synonyms: tuple[str, ...]
    held_out: tuple[str, ...]
    category: str


def load_kinds() -> list[Kind]:
    """The kinds in the order of the table, which is the order of their class indices."""
    kinds = []
    for line in (Path(__file__).parent / "kinds.txt").read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        glyph, name, synonyms, held_out, category = line.split("|")
        kinds.append(
            Kind(
                len(kinds), glyph, name,
                tuple(s for s in synonyms.split(",") if s), tuple(h for h in held_out.split(",") if h), category,
            )
        )
    return kinds
