"""Questions about a scene and their short answers: kinds, counts, places, colours, relations, yes or no, and facts through the picture.

Every sort has several forms. The last of each list after HELD is kept for evaluation: no training question has it.
"""

import random
from dataclasses import dataclass, replace

from .captions import BIG_WORDS, OPENINGS, caption, place_of, relation_of
from .facts import FLAGS, facts, is_animal, is_held_out
from .kinds import plural_of, singular_of
from .scenes import COLOURS, KINDS, Group, Scene
from .wordings import worded

NUMBERS = ("none", "one", "two", "three", "four", "five")
# What "where?" and "what is the background?" are answered with.
WHERE = {
    "grass": "on the grass", "sea": "on the sea", "night": "in the night sky", "sky": "in the blue sky", "sunset": "at sunset", "desk": "on a wooden desk",
    "snow": "in the snow", "sand": "on the sand", "brick": "in front of a brick wall", "stone": "on gray stones", "forest": "in the forest",
    "checker": "on a checkered cloth", "stripes": "on a striped background",
}
BEHIND = {"night": "night sky", "sky": "blue sky", "desk": "wood", "brick": "brick wall", "stone": "stones", "checker": "checkered cloth"}
CLASS_WORDS = {"animal": "animal", "fruit": "fruit", "vegetable": "vegetable", "vehicle": "vehicle", "drink": "drink", "instrument": "instrument", "flower": "flower", "bird": "bird", "device": "device", "tool": "tool"}
SIDES = {"left": ("x", -1), "right": ("x", 1), "top": ("y", -1), "bottom": ("y", 1)}
CLEAR = 0.14  # how far beyond every other thing "the thing on the left" must be, in sides of the picture

# sort: (forms that training uses, forms kept for evaluation)
FORMS = {
    "this": (("what is this?", "what is in the picture?", "what is shown here?", "what can be seen here?", "what kind of thing is this?"), ("what do you see in the picture?", "which thing is this?")),
    "these": (("what are these?", "what is in the picture?", "what is shown here?", "what can be seen here?"), ("what do you see in the picture?",)),
    "which class": (("what {c} is this?", "which {c} is in the picture?", "what {c} is there?", "what kind of {c} is shown?"), ("what {c} can you see?", "name the {c}.")),
    "count": (("how many {p} are there?", "how many {p} are in the picture?", "how many {p} can be seen?", "count the {p}.", "how many {p}?"), ("how many {p} do you see?", "what is the number of {p}?")),
    "total": (("how many things are there?", "how many things are in the picture?", "how many objects can be seen?"), ("how many things do you see?",)),
    "where": (("where is it?", "where are they?", "where is this?", "where is the {n}?", "where are the {p}?"), ("where was the picture taken?", "where can the {n} be found?")),
    "behind": (("what is the background?", "what is in the background?", "what is behind the {n}?"), ("which background does the picture have?",)),
    "is there": (("is there {a}?", "is there {a} in the picture?", "can you see {a}?", "is {a} shown?", "does the picture show {a}?"), ("do you see {a}?", "is {a} here?")),
    "are there": (("are there {k} {p}?", "are there exactly {k} {p}?", "are {k} {p} in the picture?", "does the picture show {k} {p}?"), ("do you see {k} {p}?",)),
    "more than one": (("is there more than one {n}?", "are there several {p}?"), ("are there multiple {p}?",)),
    "is where": (("is it {w}?", "are they {w}?", "is the {n} {w}?", "is this {w}?"), ("was the picture taken {w}?",)),
    "colour": (("what color is the {b}?", "what is the color of the {b}?", "which color is the {b}?"), ("what color does the {b} have?",)),
    "is colour": (("is the {b} {k}?", "is there a {k} {b}?"), ("is the color of the {b} {k}?",)),
    "holds": (("what is {i} the {b}?", "which thing is {i} the {b}?"), ("what can be seen {i} the {b}?",)),
    "beside": (("what is {r} the {n}?", "which thing is {r} the {n}?"), ("what can be seen {r} the {n}?",)),
    "is beside": (("is the {n} {r} the {m}?", "is {a} {r} the {m}?"), ("can the {n} be seen {r} the {m}?",)),
    "side": (("what is on the {s}?", "what is on the {s} side?", "which thing is on the {s}?"), ("what do you see on the {s}?",)),
    "side up": (("what is at the {s}?", "which thing is at the {s}?"), ("what do you see at the {s}?",)),
    "is side": (("is the {n} on the {s} or on the {t}?", "on which side is the {n}?"), ("which side is the {n} on?",)),
}
# Facts through the picture: {x} is "it", "the animal", or "the thing on the left"; never the kind's name.
FACT_FORMS = {
    "class": (("what sort of thing is {x}?", "what category is {x}?"), ("what would you call {x} in general?",)),
    "eats": (("what does {x} eat?", "what does {x} like to eat?", "what is the food of {x}?"), ("what would you feed {x}?",)),
    "home": (("where does {x} live?", "where is {x} at home?"), ("where would one find {x} living?",)),
    "legs": (("how many legs does {x} have?", "how many legs has {x}?"), ("on how many legs does {x} walk?",)),
    "skin": (("what covers {x}?", "what is the body of {x} covered with?"), ("what is on the body of {x}?",)),
    "use": (("what can one do with {x}?", "what does one do with {x}?", "what is {x} for?"), ("what do people do with {x}?",)),
    "made": (("what is {x} made of?", "what material is {x}?"), ("from what is {x} made?",)),
    "way": (("where does {x} travel?", "where does {x} go?"), ("on what does {x} move?",)),
    "taste": (("how does {x} taste?", "what is the taste of {x}?"), ("what taste does {x} have?",)),
    "grows": (("where does {x} grow?", "on what does {x} grow?"), ("where would one pick {x}?",)),
    "pet": (("is {x} a pet?", "can one keep {x} as a pet?"), ("would {x} be a good pet?",)),
    "flies": (("can {x} fly?", "does {x} fly?"), ("is {x} able to fly?",)),
    "swims": (("can {x} swim?", "does {x} swim?"), ("is {x} able to swim?",)),
    "alive": (("is {x} alive?", "is {x} a living thing?"), ("does {x} live and breathe or grow?",)),
    "edible": (("can one eat {x}?", "is {x} food?", "can you eat {x}?"), ("would you eat {x}?",)),
    "electric": (("does {x} need electricity?", "does {x} use electricity?"), ("does {x} run on electricity?",)),
    "farm": (("is {x} a farm animal?", "does a farmer keep {x}?"), ("would a farmer own {x}?",)),
    "wheels": (("does {x} have wheels?", "has {x} got wheels?"), ("does {x} roll on wheels?",)),
}
STATEMENTS = {
    "class": "{n} is a kind of {v}", "eats": "{n} eats {v}", "home": "the home of {n} is: {v}", "legs": "the number of legs of {n} is: {v}", "skin": "{n} is covered with {v}",
    "use": "what one does with {n}: {v}", "made": "{n} is made of {v}", "way": "{n} travels by {v}", "taste": "{n} tastes {v}", "grows": "{n} grows here: {v}",
}
RELATIONS = {"left": "to the left of", "right": "to the right of", "above": "above", "below": "below"}
MORE_RELATIONS = {
    "left": ("left of", "on the left of", "on the left side of"), "right": ("right of", "on the right of", "on the right side of"), "above": ("over", "higher than"), "below": ("under", "beneath", "lower than"),
}
OPPOSITE = {"left": "right", "right": "left", "above": "below", "below": "above", "top": "bottom", "bottom": "top"}
SORT_WEIGHTS = {"kind": 3, "count": 4, "place": 3, "yes/no": 8, "colour": 3, "relation": 5, "fact": 5}
RELATING_WEIGHTS = {"kind": 1, "count": 2, "place": 1, "yes/no": 3, "colour": 2, "relation": 40, "fact": 2}  # while the language model learns what places are
TRAINING_WEIGHTS = {"kind": 2, "count": 6, "place": 2, "yes/no": 9, "colour": 5, "relation": 11, "fact": 4}


@dataclass(frozen=True)
class Question:
    """One question and its answer. sort is what it is about; form says which wording; fact is the kind's fact it needs."""

    text: str
    answer: str
    sort: str
    form: str
    fact: str = ""
    held_out_fact: bool = False
    held_out_form: bool = False


def where(background: str) -> str:
    """The answer to "where is it?"."""
    return WHERE.get(background, f"on a {background} background")


def behind(background: str) -> str:
    """The answer to "what is the background?"."""
    return BEHIND.get(background, background)


def is_of_class(kind: int, word: str) -> bool:
    """Whether a class word names a kind; birds, insects and fish are animals too."""
    return is_animal(kind) if word == "animal" else facts()[kind]["class"] == word


class Asker:
    """Makes questions about one scene."""

    def __init__(self, scene: Scene, rng: random.Random, held_out_forms: bool = False, held_out_facts: bool = False, varied: float = 0.0):
        """varied is the share of questions in a wording of wordings.py, which is for training alone."""
        self.scene, self.rng, self.varied = scene, rng, varied
        self.held_out_forms, self.held_out_facts = held_out_forms, held_out_facts
        self.of_kind = {g.kind: g for g in scene.groups}

    def question(self, sort: str, tries: int = 6) -> Question | None:
        """A question of a sort, or None where the scene allows none."""
        makers = {
            "kind": (self.this, self.which_class, self.which_class), "count": (self.count, self.count, self.total, self.class_count),
            "place": (self.where, self.behind), "yes/no": (self.is_there, self.is_there, self.are_there, self.more_than_one, self.is_where, self.is_class),
            "colour": (self.colour, self.is_colour, self.holds), "relation": (self.beside, self.is_beside, self.side, self.is_side),
            "fact": (self.fact,),
        }[sort]
        if sort == "relation" and self.varied == 1:
            makers += (self.further, self.way_to)
        for _ in range(tries):
            made = self.rng.choice(makers)()
            if made:
                return replace(made, held_out_form=self.held_out_forms)
        return None

    # Words.

    def form(self, name: str, table=FORMS, **words) -> str:
        """One wording."""
        seen, held_out = table.get(name, ((), ()))
        if self.varied and self.rng.random() < self.varied:
            return worded(name, self.rng, table is FACT_FORMS, seen, words)
        return self.rng.choice(held_out if self.held_out_forms else seen).format(**words)

    def name(self, kind: int) -> str:
        """A name of a kind: mostly the first."""
        entry = KINDS[kind]
        return self.rng.choice(entry.synonyms) if entry.synonyms and self.rng.random() < 0.3 else entry.name

    def absent(self, like: int | None = None) -> int:
        """A kind that is not in the scene, half of the time one like another."""
        alike = [k.index for k in KINDS if like is not None and k.category == KINDS[like].category and k.index not in self.of_kind]
        if alike and self.rng.random() < 0.5:
            return self.rng.choice(alike)
        return self.rng.choice([k.index for k in KINDS if k.index not in self.of_kind])

    def group(self) -> Group:
        return self.rng.choice(self.scene.groups)

    def yes(self) -> bool:
        return self.rng.random() < 0.5

    # Kinds.

    def this(self) -> Question | None:
        if len(self.scene.groups) > 1:
            return None
        group = self.scene.groups[0]
        name = "this" if group.count == 1 else "these"
        return Question(self.form(name), KINDS[group.kind].name, "kind", name)

    def members(self, word: str) -> list[Group]:
        """Groups that a class word names."""
        return [g for g in self.scene.groups if is_of_class(g.kind, word)]

    def which_class(self) -> Question | None:
        words = [w for w in CLASS_WORDS if len(self.members(w)) == 1]
        if not words:
            return self.this()
        word = self.rng.choice(words)
        return Question(self.form("which class", c=word), KINDS[self.members(word)[0].kind].name, "kind", "which class")

    # Counts.

    def count(self) -> Question:
        if self.rng.random() < 0.12:
            kind, number = self.absent(self.group().kind), 0
        else:
            group = self.group()
            several = [g for g in self.scene.groups if g.count > 1]
            if several and self.rng.random() < 0.5:
                group = self.rng.choice(several)
            kind, number = group.kind, group.count
        name = self.name(kind)
        return Question(self.form("count", p=plural_of(name), a=singular_of(name)), NUMBERS[number], "count", "count")

    def total(self) -> Question:
        return Question(self.form("total"), NUMBERS[len(self.scene.things)], "count", "total")

    def class_count(self) -> Question | None:
        words = [w for w in CLASS_WORDS if self.members(w)]
        if not words:
            return None
        word = self.rng.choice(words)
        return Question(self.form("count", p=plural_of(word), a=singular_of(word)), NUMBERS[sum(g.count for g in self.members(word))], "count", "class count")

    # Places.

    def where(self) -> Question:
        kind = self.group().kind
        return Question(self.form("where", n=self.name(kind), p=plural_of(self.name(kind))), where(self.scene.background), "place", "where")

    def behind(self) -> Question:
        return Question(self.form("behind", n=self.name(self.group().kind)), behind(self.scene.background), "place", "behind")

    # Yes or no.

    def is_there(self) -> Question:
        yes = self.yes()
        group = self.group()
        kind = group.kind if yes else self.absent(group.kind)
        name = self.name(kind)
        return Question(self.form("is there", a=singular_of(name), p=plural_of(name)), "yes" if yes else "no", "yes/no", "is there")

    def are_there(self) -> Question | None:
        several = [g for g in self.scene.groups if g.count > 1]
        yes = self.yes()
        group = self.rng.choice(several) if several and (yes or self.rng.random() < 0.6) else self.group()
        if yes and group.count < 2:
            return None
        number = group.count if yes else self.rng.choice([c for c in (2, 3, 4, 5) if c != group.count and abs(c - group.count) < 3])
        return Question(self.form("are there", k=NUMBERS[number], p=plural_of(self.name(group.kind))), "yes" if yes else "no", "yes/no", "are there")

    def more_than_one(self) -> Question | None:
        yes = self.yes()
        groups = [g for g in self.scene.groups if (g.count > 1) == yes]
        if not groups:
            return None
        name = self.name(self.rng.choice(groups).kind)
        return Question(self.form("more than one", n=name, p=plural_of(name)), "yes" if yes else "no", "yes/no", "more than one")

    def is_where(self) -> Question:
        yes = self.yes()
        other = self.rng.choice([b for b in [*WHERE, "red", "blue", "green", "yellow", "pink", "purple", "white", "black"] if b != self.scene.background])
        place = where(self.scene.background if yes else other)
        return Question(self.form("is where", w=place, n=self.name(self.group().kind)), "yes" if yes else "no", "yes/no", "is where")

    def is_class(self) -> Question | None:
        yes = self.yes()
        words = [w for w in CLASS_WORDS if bool(self.members(w)) == yes]
        if not words:
            return None
        word = self.rng.choice(words)
        return Question(self.form("is there", a=singular_of(word), p=plural_of(word)), "yes" if yes else "no", "yes/no", "is class")

    # Boxes and plates.

    def container(self) -> Group | None:
        held = [g for g in self.scene.groups if g.container]
        return held[0] if held else None

    def colour(self) -> Question | None:
        group = self.container()
        return group and Question(self.form("colour", b=group.container[0]), group.container[1], "colour", "colour")

    def is_colour(self) -> Question | None:
        group = self.container()
        if not group:
            return None
        yes = self.yes()
        colour = group.container[1] if yes else self.rng.choice([c for c in COLOURS if c != group.container[1]])
        return Question(self.form("is colour", b=group.container[0], k=colour), "yes" if yes else "no", "colour", "is colour")

    def holds(self) -> Question | None:
        group = self.container()
        return group and Question(self.form("holds", b=group.container[0], i="in" if group.container[0] == "box" else "on"), KINDS[group.kind].name, "colour", "holds")

    # Relations.

    def relation(self, name: str) -> str:
        """Words for a relation."""
        return self.rng.choice(MORE_RELATIONS[name]) if self.varied and self.rng.random() < 0.3 else RELATIONS[name]

    def related(self) -> tuple[Group, Group, str] | None:
        """Two single things a and b, and where a is, seen from b."""
        groups = [g for g in self.scene.groups if g.count == 1]
        if len(groups) < 2:
            return None
        a, b = self.rng.sample(groups, 2)
        relation = relation_of(a, b)
        return (a, b, relation) if relation else None

    def beside(self) -> Question | None:
        pair = self.related()
        if not pair:
            return None
        a, b, relation = pair
        if sum(1 for g in self.scene.groups if g is not b and (g.count > 1 or relation_of(g, b) in (relation, None))) > 1:
            return None  # something else may be there as well
        return Question(self.form("beside", n=self.name(b.kind), r=self.relation(relation)), KINDS[a.kind].name, "relation", "beside")

    def is_beside(self) -> Question | None:
        pair = self.related()
        if not pair:
            return None
        a, b, relation = pair
        yes = self.yes()
        said = self.relation(relation if yes else OPPOSITE[relation])
        name = self.name(a.kind)
        return Question(self.form("is beside", n=name, a=singular_of(name), m=self.name(b.kind), r=said), "yes" if yes else "no", "relation", "is beside")

    def extreme(self, side: str) -> int | None:
        """The kind of the thing that is clearly furthest on a side."""
        axis, sign = SIDES[side]
        things = sorted(self.scene.things, key=lambda t: -sign * getattr(t, axis))
        first = things[0]
        others = [t for t in things[1:] if t.kind != first.kind]
        if not others or sign * (getattr(first, axis) - getattr(others[0], axis)) < CLEAR:
            return None
        return first.kind

    def side(self) -> Question | None:
        side = self.rng.choice(list(SIDES))
        kind = self.extreme(side)
        if kind is None:
            return None
        return Question(self.form("side" if side in ("left", "right") else "side up", s=side), KINDS[kind].name, "relation", "side")

    def is_side(self) -> Question | None:
        groups = [g for g in self.scene.groups if g.count == 1 and abs(g.x - 0.5) > 0.15]
        if not groups:
            return None
        group = self.rng.choice(groups)
        side = "left" if group.x < 0.5 else "right"
        s, t = ("left", "right") if self.yes() else ("right", "left")
        return Question(self.form("is side", n=self.name(group.kind), s=s, t=t), side, "relation", "is side")

    # Questions that are only trained: wordings.py has their words, FORMS has not.

    def further(self) -> Question | None:
        """Which of two groups reaches further to a side."""
        if len(self.scene.groups) < 2:
            return None
        side = self.rng.choice(list(SIDES))
        axis, sign = SIDES[side]
        first, second = self.rng.sample(range(len(self.scene.groups)), 2)
        reach = lambda i: max(sign * getattr(t, axis) for t in self.scene.things if t.group == i)
        if abs(reach(first) - reach(second)) < CLEAR:
            return None
        kinds = [self.scene.groups[i].kind for i in (first, second)]
        n, m = map(self.name, kinds)
        answer = KINDS[kinds[0] if reach(first) > reach(second) else kinds[1]].name
        return Question(self.form("further", s=side, n=n, m=m, a=singular_of(n), b=singular_of(m)), answer, "relation", "further")

    def way_to(self) -> Question | None:
        """Where one single thing is, seen from another."""
        pair = self.related()
        return pair and Question(self.form("way to", n=self.name(pair[0].kind), m=self.name(pair[1].kind)), pair[2], "relation", "way to")

    # Facts.

    def reference(self) -> tuple[int, str] | None:
        """A kind of the scene, and words for it that do not name it."""
        ways = []
        if len(self.scene.groups) == 1:
            ways.append((self.scene.groups[0].kind, self.rng.choice(("it", "this", "the thing in the picture"))))
        for word in CLASS_WORDS:
            members = self.members(word)
            if len(members) == 1:
                ways.append((members[0].kind, f"the {word}"))
        side = self.rng.choice(list(SIDES))
        kind = self.extreme(side)
        if kind is not None:
            noun = "animal" if is_animal(kind) and self.rng.random() < 0.6 else "thing"
            ways.append((kind, f"the {noun} {'on' if side in ('left', 'right') else 'at'} the {side}"))
        return self.rng.choice(ways) if ways else None

    def fact(self) -> Question | None:
        chosen = self.reference()
        if not chosen:
            return None
        kind, words = chosen
        known = facts()[kind]
        keys = [k for k in known if is_held_out(kind, k) == self.held_out_facts and not (k == "class" and words.startswith("the ") and words.count(" ") == 1)]
        if not keys:
            return None
        valued = [k for k in keys if k not in FLAGS]
        if valued and self.rng.random() < 0.6:
            key = self.rng.choice(valued)
        else:
            flags = [k for k in keys if k in FLAGS]
            positive = [k for k in flags if known[k] == "yes"]
            if not flags:
                return None
            key = self.rng.choice(positive) if positive and self.rng.random() < 0.45 else self.rng.choice(flags)
        return Question(self.form(key, FACT_FORMS, x=words), known[key], "fact", key, key, self.held_out_facts)


def questions(scene: Scene, rng: random.Random, number: int, held_out_forms: bool = False, varied: float = 0.0, shares: dict[str, int] | None = None) -> list[Question]:
    """Questions for training or evaluation, of mixed sorts, no two alike. shares says how often each sort is tried."""
    asker, made = Asker(scene, rng, held_out_forms, varied=varied), {}
    shares = shares or (TRAINING_WEIGHTS if varied else SORT_WEIGHTS)
    sorts, weights = list(shares), list(shares.values())
    for _ in range(4 * number):
        question = asker.question(rng.choices(sorts, weights)[0], tries=3)
        if question:
            made.setdefault(question.text, question)
        if len(made) == number:
            break
    return list(made.values())


def named_fact(rng: random.Random, varied: float = 0.0) -> tuple[str, str]:
    """A question about a kind by its name, and its answer: text alone. Facts kept from pictures are taught here."""
    kind = rng.randrange(len(KINDS))
    known = facts()[kind]
    key = rng.choice(list(known))
    name = KINDS[kind].name if rng.random() < 0.6 or not KINDS[kind].synonyms else rng.choice(KINDS[kind].synonyms)
    words = singular_of(name) if rng.random() < 0.7 else f"the {name}"
    seen = FACT_FORMS[key][0]
    return worded(key, rng, True, seen, {"x": words}) if varied and rng.random() < varied else rng.choice(seen).format(x=words), known[key]


def statement(rng: random.Random) -> str:
    """A fact as a sentence."""
    kind = rng.randrange(len(KINDS))
    known = facts()[kind]
    key = rng.choice([k for k in known if k in STATEMENTS])
    return STATEMENTS[key].format(n=singular_of(KINDS[kind].name), v=known[key])


def plain_caption(scene: Scene, rng: random.Random) -> str:
    """A caption without an opening such as "a picture of"."""
    text = caption(scene, rng, rng.choice((0.3, 0.6, 0.6, 1.0)))
    for opening in OPENINGS:
        if opening.endswith(" ") and text.startswith(opening):
            return text[len(opening):]
    return text
