"""Captions: natural English for a scene, from terse to full, and near misses that are wrong in one thing."""

import copy
import random
import re
from functools import lru_cache

from .backgrounds import BACKGROUNDS
from .kinds import MASS, PLURAL_ONLY, plural_of, singular_of
from .scenes import BIG, COLOURS, KINDS, SMALL, Group, Scene

NUMBERS = {2: ("two", "two", "two", "a pair of", "a couple of"), 3: ("three",), 4: ("four",), 5: ("five",)}
NUMBER_VALUES = {"two": 2, "pair": 2, "couple": 2, "both": 2, "three": 3, "four": 4, "five": 5}
BIG_WORDS = ("big", "large", "huge")
SMALL_WORDS = ("small", "little", "tiny")
HYPERNYMS = {
    "animal": ("animal",), "bird": ("bird",), "insect": ("insect", "bug"), "sea animal": ("sea creature", "sea animal"), "plant": ("plant",),
    "flower": ("flower",), "fruit": ("fruit", "piece of fruit"), "vegetable": ("vegetable",), "food": ("food item", "snack"),
    "fast food": ("fast food item", "snack"), "dessert": ("dessert", "sweet treat"), "drink": ("drink", "beverage"), "vehicle": ("vehicle",),
    "building": ("building",), "sport thing": ("piece of sports equipment",), "toy": ("toy",), "instrument": ("musical instrument", "instrument"),
    "device": ("device", "gadget"), "book": ("book",), "stationery": ("office supply",), "tool": ("tool",), "clothes": ("piece of clothing",),
    "furniture": ("piece of furniture",), "heart": ("heart",), "shape": ("shape",),
}
OPENINGS = (
    "", "", "", "", "a picture of ", "a photo of ", "an image of ", "a drawing of ", "this picture shows ", "the image shows ", "here we see ", "one can see ",
    "a scene with ", "there@",
)
PLACES = {
    (-1, -1): ("in the top left corner", "at the top left"), (0, -1): ("at the top", "near the top"), (1, -1): ("in the top right corner", "at the top right"),
    (-1, 0): ("on the left", "on the left side"), (0, 0): ("in the middle", "in the center"), (1, 0): ("on the right", "on the right side"),
    (-1, 1): ("in the bottom left corner", "at the bottom left"), (0, 1): ("at the bottom", "near the bottom"), (1, 1): ("in the bottom right corner", "at the bottom right"),
}
RELATIONS = {
    "left": ("{a} to the left of {b}", "{a} left of {b}", "{a} on the left and {b} on the right", "{b} to the right of {a}", "{b} right of {a}", "{a} is on the left of {b}"),
    "above": ("{a} above {b}", "{a} over {b}", "{b} below {a}", "{b} under {a}", "{a} at the top and {b} at the bottom", "{a} higher than {b}", "{b} beneath {a}"),
    "near": ("{a} next to {b}", "{a} beside {b}", "{a} near {b}", "{b} close to {a}", "{a} right beside {b}"),
}


def phrase(kind_words: str, count: int, adjective: str, rng: random.Random) -> str:
    """A counted noun phrase: "a small cat", "two cats", "some broccoli"."""
    if count == 1:
        if kind_words in MASS or kind_words in PLURAL_ONLY or not adjective:
            return singular_of(kind_words)
        return singular_of(f"{adjective} {kind_words}")
    number = rng.choice(NUMBERS[count])
    plural = plural_of(kind_words)
    if plural.startswith("pairs of") and number == "a pair of":
        number = "two"
    return f"{number} {adjective + ' ' if adjective else ''}{plural}"


def words_for(group: Group, rng: random.Random, vague: float) -> str:
    """One of the kind's names; with probability vague, only its category."""
    kind = KINDS[group.kind]
    draw = rng.random()
    if vague and draw < vague and kind.category in HYPERNYMS:
        return rng.choice(HYPERNYMS[kind.category])
    if draw < 0.55 or not kind.synonyms:
        return kind.name
    return rng.choice(kind.synonyms)


def relation_of(a: Group, b: Group) -> str | None:
    """left, right, above, below, or near; None where neither is clear or a group has several things."""
    if a.count > 1 or b.count > 1:
        return None
    dx, dy = b.x - a.x, b.y - a.y
    if abs(dx) > 0.18 and abs(dx) > 1.35 * abs(dy):
        return "left" if dx > 0 else "right"
    if abs(dy) > 0.18 and abs(dy) > 1.35 * abs(dx):
        return "above" if dy > 0 else "below"
    return None


def is_near(a: Group, b: Group) -> bool:
    """Whether two single things are so close that "next to" is said of them."""
    return a.count == b.count == 1 and ((a.x - b.x) ** 2 + (a.y - b.y) ** 2) ** 0.5 < 0.62 * (a.size + b.size)


def place_of(group: Group) -> str | tuple | None:
    """The ninth of the picture that a single thing is clearly in, or None."""
    if group.count > 1:
        return None
    column = -1 if group.x < 0.33 else 1 if group.x > 0.67 else 0 if 0.41 < group.x < 0.59 else None
    row = -1 if group.y < 0.33 else 1 if group.y > 0.67 else 0 if 0.41 < group.y < 0.59 else None
    return None if column is None or row is None else (column, row)


def join(parts: list[str], rng: random.Random) -> str:
    """An English list."""
    if len(parts) == 1:
        return parts[0]
    if len(parts) == 2:
        return parts[0] + rng.choice((" and ", " and ", " with ")) + parts[1]
    return ", ".join(parts[:-1]) + rng.choice((" and ", ", and ")) + parts[-1]


def caption(scene: Scene, rng: random.Random, fullness: float, vague: float = 0.0, distinct: bool = False) -> str:
    """One caption. fullness in [0, 1] sets how likely each detail is; every group is always mentioned.

    distinct always names the setting of a scene of one kind, so that a gallery's captions tell its scenes apart.
    """
    groups = list(scene.groups)
    rng.shuffle(groups)
    said = []
    for group in groups:
        adjective = ""
        if rng.random() < 0.8 * fullness:
            adjective = rng.choice(BIG_WORDS) if group.size > BIG else rng.choice(SMALL_WORDS) if group.size < SMALL else ""
        text = phrase(words_for(group, rng, vague), group.count, adjective, rng)
        if group.container and rng.random() < 0.25 + 0.7 * fullness:
            what, colour = group.container
            text += f" {rng.choice(('in', 'inside') if what == 'box' else ('on', 'on top of'))} a {colour} {what}"
        said.append(text)
    with_relation = rng.random() < 0.15 + 0.6 * fullness
    with_place = rng.random() < 0.1 + 0.3 * fullness
    with_setting = rng.random() < 0.15 + 0.75 * fullness or (len(groups) == 1 and (distinct or rng.random() < 0.5))
    body = None
    related = False
    if with_relation and len(groups) > 1:
        relation = relation_of(groups[0], groups[1])
        near = is_near(groups[0], groups[1])
        if near and (relation is None or rng.random() < 0.35):
            relation = "near"
        if relation:
            a, b = said[0], said[1]
            if relation in ("right", "below"):
                a, b, relation = b, a, {"right": "left", "below": "above"}[relation]
            body = rng.choice(RELATIONS[relation]).format(a=a, b=b)
            related = True
            if len(said) > 2:
                body += rng.choice((", with ", " and also ", ", together with ")) + join(said[2:], rng)
    if body is None:
        if with_place:
            i = rng.randrange(len(groups))
            place = place_of(groups[i])
            if place:
                said[i] += " " + rng.choice(PLACES[place])
        if fullness < 0.2 and rng.random() < 0.15:
            body = ", ".join(re.sub(r"^(a|an) ", "", s) for s in said)
        else:
            body = join(said, rng)
    opening = rng.choice(OPENINGS)
    setting = rng.choice(BACKGROUNDS[scene.background][0]) if with_setting else ""
    if setting and not related and rng.random() < 0.15:
        verb = "are" if len(groups) > 1 or groups[0].count > 1 else "is"
        return f"{setting} there {verb} {body}"
    if opening == "there@":
        opening = ("there are " if len(groups) > 1 or groups[0].count > 1 else "there is ") if " is " not in body else ""
    return f"{opening}{body} {setting}".strip()


def training_captions(scene: Scene, rng: random.Random, number: int) -> list[str]:
    """Captions for training, of mixed fullness."""
    return [caption(scene, rng, rng.choice((0.0, 0.3, 0.6, 1.0)), vague=0.02) for _ in range(number)]


def gallery_captions(scene: Scene, rng: random.Random) -> list[str]:
    """Five different captions, from terse to full."""
    captions: list[str] = []
    for fullness in (0.0, 0.3, 0.6, 1.0, 1.0):
        for _ in range(20):
            text = caption(scene, rng, fullness, distinct=True)
            if text not in captions:
                captions.append(text)
                break
        else:
            captions.append("a picture with " + text)
    return captions


NEAR_MISSES = ("count", "kind", "background", "relation", "colour", "extra", "missing")


def near_miss(scene: Scene, rng: random.Random, fullness: float, vague: float = 0.0, rare: float = 0.0) -> tuple[str, str, str] | None:
    """A true caption, the same caption wrong in one thing, and what is wrong; None if no edit shows in the words.

    rare is how often relations and colours are tried first: matching learns them last, and few scenes allow them.
    """
    edits = list(NEAR_MISSES)
    rng.shuffle(edits)
    if rare and rng.random() < rare:
        edits.insert(0, rng.choice(("colour", "relation", "relation")))
    for edit in edits:
        wrong = copy.deepcopy(scene)
        group = rng.choice(wrong.groups)
        if edit == "count":
            group.count = rng.choice([c for c in (1, 2, 3, 4, 5) if c != group.count and abs(c - group.count) <= 2])
        elif edit == "kind":
            present = {g.kind for g in wrong.groups}
            near = [k.index for k in KINDS if k.category == KINDS[group.kind].category and k.index not in present]
            far = [k.index for k in KINDS if k.index not in present]
            group.kind = rng.choice(near if near and rng.random() < 0.5 else far)
        elif edit == "background":
            wrong.background = rng.choice([b for b in BACKGROUNDS if b != scene.background])
        elif edit == "relation":
            for g in wrong.groups:
                g.x, g.y = 1 - g.x, 1 - g.y
        elif edit == "colour":
            holders = [g for g in wrong.groups if g.container]
            if not holders:
                continue
            what, colour = holders[0].container
            holders[0].container = (what, rng.choice([c for c in COLOURS if c != colour]))
        elif edit == "extra":
            if len(wrong.groups) >= 4:
                continue
            absent = [k.index for k in KINDS if k.index not in {g.kind for g in wrong.groups}]
            wrong.groups.append(Group(rng.choice(absent), 1, 0.35, 0.5, 0.5))
        elif edit == "missing":
            # The picture has more than the caption says: true, so not a near miss of retrieval. Left out on purpose.
            continue
        seed = rng.getrandbits(32)
        for attempt in range(3):
            true_text = caption(scene, random.Random(seed + attempt), fullness, vague)
            wrong_text = caption(wrong, random.Random(seed + attempt), fullness, vague)
            if true_text != wrong_text:
                if edit == "relation" and not any(w in true_text for w in (" left", " right", "above", "over", "below", "under", "top", "bottom", "beneath", "higher")):
                    continue  # only synonyms moved
                if edit == "background" and wrong_text.split() == true_text.split():
                    continue
                return true_text, wrong_text, edit
    return None


def partial_pair(scene: Scene, rng: random.Random, strangers: list[str] = ()) -> tuple[str, str]:
    """A text that is true of the picture and names only some of what is in it, as queries do, and one that is false.

    The false one is wrong in a kind or a count, speaks of something that this world does not have (a word of
    strangers), or is no language at all.
    """
    part = copy.deepcopy(scene)
    rng.shuffle(part.groups)
    part.groups = part.groups[: rng.randint(1, max(1, len(part.groups) - 1))]
    wrong = copy.deepcopy(part)
    group = rng.choice(wrong.groups)
    if rng.random() < 0.35:
        group.count = rng.choice([c for c in (1, 2, 3, 4, 5) if c != group.count])
    else:
        present = {g.kind for g in scene.groups}
        alike = [k.index for k in KINDS if k.category == KINDS[group.kind].category and k.index not in present]
        other = [k.index for k in KINDS if k.index not in present]
        group.kind = rng.choice(alike if alike and rng.random() < 0.4 else other)
    seed, fullness = rng.getrandbits(32), rng.choice((0.0, 0.0, 0.3, 0.6))
    true_text, wrong_text = (caption(s, random.Random(seed), fullness, vague=0.05) for s in (part, wrong))
    if rng.random() < 0.2:
        true_text, wrong_text = (re.sub(r"^(a|an|some) ", "", text) for text in (true_text, wrong_text))
    draw = rng.random()
    if draw < 0.08:
        wrong_text = nonsense(rng)
    elif draw < 0.25 and strangers:
        wrong_text = rng.choice(STRANGE).format(a=rng.choice(strangers), b=rng.choice(strangers), true=true_text)
    return (true_text, wrong_text) if true_text != wrong_text else (true_text, "")


STRANGE = ("{a}", "a {a}", "the {a} of {b}", "{a} {b}", "a {a} in a {b}", "a {a} and a {b}", "a picture of a {a}", "{true} and a {a}", "a {a} next to {true}")


def nonsense(rng: random.Random) -> str:
    """A few words that mean nothing: letters at random."""
    word = lambda: "".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(rng.randint(2, 9)))
    return " ".join(word() for _ in range(rng.randint(1, 5)))


@lru_cache(maxsize=1)
def lexicon() -> dict[str, int]:
    """Every name, singular and plural, to its kind; for reading what a generated caption names."""
    names: dict[str, int] = {}
    for kind in KINDS:
        for word in (kind.name, *kind.synonyms):
            names.setdefault(word, kind.index)
            names.setdefault(plural_of(word), kind.index)
    return names


def read_caption(text: str) -> dict[int, int]:
    """The kinds that a caption names and how many of each it counts: a longest-match reading."""
    words = re.findall(r"[a-z0-9\-]+", text.lower().replace(" - ", "-"))
    names, found, i, number = lexicon(), {}, 0, None
    containers = {f"{c} {w}" for c in COLOURS for w in ("box", "plate")}
    while i < len(words):
        if " ".join(words[i : i + 2]) in containers:
            i += 2
            continue
        if words[i] in NUMBER_VALUES and not (words[i] == "pair" and number is None and " ".join(words[i : i + 3]) in names):
            number, i = NUMBER_VALUES[words[i]], i + 1
            if i < len(words) and words[i] == "of":
                i += 1
            continue
        for length in (5, 4, 3, 2, 1):
            name = " ".join(words[i : i + length])
            if name in names and i + length <= len(words):
                if not (name in ("orange", "chicken") and length == 1 and words[i + 1 : i + 2] in (["sky"], ["egg"])):
                    found.setdefault(names[name], number or 1)
                number, i = None, i + length
                break
        else:
            if words[i] in ("a", "an", "and", "with", "some", "the"):
                number = None
            i += 1
    return found


def all_words() -> set[str]:
    """Every word that a training caption can contain."""
    texts = [*OPENINGS, "there is there are", *BIG_WORDS, *SMALL_WORDS, *COLOURS, "box plate in inside on top of", "some with and also together is a an one"]
    texts += [n for values in NUMBERS.values() for n in values]
    texts += [p for values in PLACES.values() for p in values] + [t.format(a="", b="") for values in RELATIONS.values() for t in values]
    texts += [p for seen, _ in BACKGROUNDS.values() for p in seen]
    texts += [n for values in HYPERNYMS.values() for n in values] + [plural_of(n) for values in HYPERNYMS.values() for n in values]
    for kind in KINDS:
        for word in (kind.name, *kind.synonyms):
            texts += [word, plural_of(word)]
    return set(re.findall(r"[a-z]+", " ".join(texts).lower()))
