"""More wordings of the questions, for training alone: templates with alternatives, openings, and now and then a word that is missing or strange.

A template's [a|b] is a or b, also within others. The forms that are kept for evaluation (`HELD_OUT`) stay out: no wording has three words
in a row that only they have.
"""

import random
import re
from functools import lru_cache

PLACE = "[|| in the picture| in this picture| in the image| in the photo| in this scene| in the drawing| there]"
SHOWN = "[is shown|is drawn|is displayed|appears|is visible|can be seen|has been drawn|do we have|does the picture show|does the image show]"
SHOWN_MANY = "[are|are there|appear|are shown|are drawn|are visible|are displayed|can be seen|can one see|can one count|have been drawn|do we have|does the picture show|does the image contain]"
WHETHER = "[is there|can one see|can you make out|do we have|does the picture show|does this picture show|does the image show|does the picture contain|does the scene have|could there be|is it true that there is|did somebody draw]"
WHETHER_MANY = "[are there|can one see|can you make out|do we have|does the picture show|does the image contain|is it true that there are|did somebody draw]"
STANDS = "[is|lies|stands|sits|is placed|is drawn|appears|is found]"
FILLERS = (
    "a", "the", "this", "that", "now", "please", "really", "just", "then", "well", "so", "one", "some", "it", "of", "to", "with", "by", "for", "and", "who", "would", "might", "should", "may",
    "we", "they", "my", "your", "get", "think", "know", "look", "show", "give", "sort", "any", "such", "also", "maybe", "likely", "actually", "exactly", "currently", "whole", "certain",
)
OPENINGS = ("", "", "", "", "", "", "tell me: ", "say: ", "please say: ", "look: ", "well, ", "so, ", "and ", "i ask: ", "now, ", "hello, ", "quickly: ")
NOISE = 0.2  # share of wordings with a word of the template left out, replaced or put in

WORDINGS = {
    "this": (
        "what is [this|it|this thing|that thing|the thing|the object]?", "what does the [picture|image|photo|scene|drawing] [show|contain|depict]?", f"what {SHOWN}{PLACE}?", f"which [object|item] {SHOWN}{PLACE}?",
        "identify [this|the thing|the object|what is shown].", "what has somebody drawn[| here]?", "what would one call this?", "tell me what this is.", "what are we looking at?",
    ),
    "these": (
        "what are [they|these things|those things|the things|the objects]?", "what does the [picture|image|photo|scene|drawing] [show|contain|depict]?", f"what {SHOWN}{PLACE}?", f"which [objects|items] {SHOWN_MANY}{PLACE}?",
        "identify [these|the things|the objects|what is shown].", "tell me what these are.", "what are we looking at?",
    ),
    "which class": (
        f"[what|which] {{c}} {SHOWN}{PLACE}?", f"what is the {{c}}[| called]{PLACE}?", "[what|which] [kind|sort|type] of {c} is [this|it|that|shown|drawn|there|in the picture|in the image]?", f"identify the {{c}}{PLACE}.",
        "the {c} is [what|which one]?", f"tell me which {{c}} is{PLACE}.", "which one is the {c}?",
    ),
    "count": (
        f"how many {{p}} {SHOWN_MANY}{PLACE}?", f"count [|all |up ]the {{p}}{PLACE}.", "{p}: how many?", "how many {p}, [exactly|please|in all]?", f"what is the count of {{p}}{PLACE}?", f"tell me how many {{p}} there are{PLACE}.",
        "of {p} there are how many?", "how often [does one see|is there] {a}?",
    ),
    "total": (
        f"how many [things|objects|items|figures] {SHOWN_MANY}{PLACE}[|| in all| altogether| in total]?", f"count [everything|all things|all objects|the things|all items]{PLACE}.", "[things|objects] in all: how many?",
        "tell me how many [things|objects|items] there are[| in all].",
    ),
    "where": (
        "where [is|lies] [it|this|this thing|that|the {n}]?", "where are [they|these|these things|the {p}]?", "in [what|which] place is [it|this|the {n}]?", "what place is [this|shown]?", "where does the {n} [stand|sit|lie]?",
        "where do the {p} [stand|sit|lie]?", "tell me where [it|this|the {n}] is.", "in what surroundings is [it|the {n}]?", "where did somebody draw [it|the {n}|the {p}]?",
    ),
    "behind": (
        "what [is|lies|can one see] behind [it|this|them|the {n}|everything|the things]?", "what is the [background|backdrop]?", "what background is [this|shown|used|there|it]?", "which background is [shown|used|drawn|behind the {n}]?",
        "what does the background [show|look like|consist of]?", "describe the background.", "what fills the background?", "what is [in|at] the back?", "what stands in the background?",
    ),
    "is there": (
        f"{WHETHER} {{a}}{PLACE}?", f"is {{a}} [there|visible|drawn|shown|displayed|present|depicted]{PLACE}?", f"[are there|is there|can one see] any {{p}}{PLACE}?", "[any {p}|{a}]?", "does [the picture|it|the image] have {a}?",
        f"is one of the things{PLACE} {{a}}?", "is {a} among the things?", f"i look for {{a}}: is there one{PLACE}?", f"are any {{p}} [visible|shown|drawn]{PLACE}?",
    ),
    "are there": (
        f"{WHETHER_MANY} [|exactly |precisely |just |really ]{{k}} {{p}}{PLACE}?", f"are [|exactly |just ]{{k}} {{p}} [there|visible|drawn|shown|displayed]{PLACE}?", f"is the count of {{p}} {{k}}{PLACE}?", f"are the {{p}} {{k}}{PLACE}?",
        "would one count {k} {p}?", f"{{k}} {{p}}{PLACE}?", f"is it {{k}} {{p}}{PLACE}?",
    ),
    "more than one": (
        f"{WHETHER_MANY} [several|two or more|at least two|a few|many] {{p}}{PLACE}?", f"{WHETHER} more than one {{n}}{PLACE}?", "are the {p} several?", f"are several {{p}} [there|visible|shown|drawn]{PLACE}?", "more than one {n}?",
    ),
    "is where": (
        "is [it|this|that|the {n}|everything|the scene|this thing] {w}?", "are [they|these|the things|these things] {w}?", "does the {n} [stand|lie|sit] {w}?", "[can one see|does the picture show|did somebody draw] [it|the {n}] {w}?",
        "is this a [picture|scene] {w}?", "is [it|the {n}] [shown|drawn] {w}?", "does it happen {w}?",
    ),
    "colour": (
        "[what|which] color is [the|this|that] {b}?", "the {b} is [what|which|of which] color?", "[tell me|say|give] the color of the {b}.", "what [shade|hue|paint] is the {b}?", "in [what|which] color is the {b} [painted|drawn|shown]?",
        "how is the {b} [colored|painted]?", "what is the {b} painted?",
    ),
    "is colour": (
        "is [the|this|that] {b} [|painted |colored |drawn ]{k}?", f"[is it|is this|{WHETHER}] a {{k}} {{b}}?", "{k}: is the {b} [of ]that color?", "was the {b} painted {k}?", "is the {b} [a {k} one|really {k}]?",
    ),
    "holds": (
        f"what {STANDS} {{i}} [the|this] {{b}}?", "[which|what] [object|item|thing] [is|lies|sits] {i} the {b}?", "{i} the {b} there is what?", "what does the {b} [hold|contain|carry|have]?", "what [do we have|has been put|did somebody put] {i} the {b}?",
        "tell me what is {i} the {b}.",
    ),
    "beside": (
        f"what {STANDS} {{r}} the {{n}}?", "[which|what] [object|item|thing] [is|lies|stands] {r} the {n}?", "{r} the {n} there is what?", "what do we have {r} the {n}?", "tell me what is {r} the {n}.", "what does one see {r} the {n}?",
    ),
    "is beside": (
        "is [the {n}|{a}] {r} the {m}?", "does [the {n}|{a}] [stand|lie|sit|appear] {r} the {m}?", "is it true that the {n} is {r} the {m}?", f"{WHETHER} {{a}} {{r}} the {{m}}?", "{r} the {m}, is there {a}?", "is the {n} [placed|drawn|shown] {r} the {m}?",
    ),
    "side": (
        "what [is|lies|stands|sits|appears] [on|to] the {s}[| side][| of the picture| of the image]?", "[which|what] [thing|object|item] [is|lies|stands] [on|furthest to|farthest to] the {s}?", "what is the {s}most [thing|object|item]?",
        "on the {s} there is what?", "what do we have on the {s}[| side]?", "tell me what is on the {s}.",
    ),
    "side up": (
        "what [is|lies|stands|sits|appears] at the {s}[| of the picture| of the image]?", "[which|what] [thing|object|item] [is|lies|stands] [at|nearest to|closest to] the {s}?", "at the {s} there is what?", "what do we have at the {s}?",
        "tell me what is at the {s}.",
    ),
    "is side": (
        "is the {n} on the {s} or [|on ]the {t}?", "is the {n} [|more to the ]{s} or {t}?", "[on|in] [which|what] [half|part|side] of the picture is the {n}?", "on what side [is|lies|stands] the {n}?", "{s} or {t}: where is the {n}?",
        "does the {n} stand on the {s} or on the {t}?", "tell me on which side the {n} is.", "the {n} is on [what|which] side?",
    ),
    # Only trained: they make the model look at places.
    "further": ("which is further [to the ]{s}, {a} or {b}?", "what is more to the {s}: the {n} or the {m}?", "of the {n} and the {m}, which is nearer to the {s}?"),
    "way to": ("how does the {n} lie, seen from the {m}?", "where is the {n}, seen from the {m}?", "in which direction from the {m} is the {n}?", "is the {n} left, right, above or below, seen from the {m}?"),
}
FACT_WORDINGS = {
    "class": ("to [what|which] [class|category|group] does {x} belong?", "what class is {x} in?", "how does one classify {x}?", "{x} belongs to which category?", "what category of things is {x}?"),
    "eats": ("what food does {x} [like|eat|need|want]?", "what does {x} [feed on|live on|like to eat|eat|have for dinner]?", "what is {x} fond of eating?", "[on|with] what does one feed {x}?", "{x} eats what?", "what does {x} need as food?"),
    "home": ("where does {x} [live|dwell|sleep|stay|make its home]?", "[what|where] is the home of {x}?", "in what place does {x} [live|dwell]?", "{x} lives where?", "where [has|does] {x} [its home|reside]?"),
    "legs": ("how many legs [does {x} have|has {x}|are on {x}|belong to {x}|does {x} use]?", "what is the count of legs of {x}?", "count the legs of {x}.", "{x} has how many legs?", "how many feet has {x}?"),
    "skin": ("what covers [|the body of ]{x}?", "what is {x} covered [with|in|by]?", "what is around the body of {x}?", "what [does {x} wear|protects {x}]?", "{x} is covered with what?"),
    "use": ("what [can|could|does|may] one do with {x}?", "what is {x} [for|used for|good for|meant for]?", "how [does|can] one use {x}?", "for what is {x} used?", "what use is {x}?", "one uses {x} to do what?"),
    "made": ("what is {x} [made of|made from|built of|formed of]?", "[what|which] material is {x}[| made of| built of]?", "of what is {x} made?", "what does {x} consist of?", "{x} is made of what?"),
    "way": ("where does {x} [travel|go|move|drive]?", "where [can|may|could] {x} [travel|go]?", "along what does {x} travel?", "{x} travels where?"),
    "taste": ("how does {x} taste?", "what [flavor|kind of taste] has {x}?", "what does {x} taste like?", "when one eats {x}, how does it taste?", "{x} tastes how?", "what is the flavor of {x}?"),
    "grows": ("where does {x} [grow|ripen|come from]?", "on what does {x} grow?", "what does {x} grow on?", "where is {x} grown?", "{x} grows where?"),
    "pet": ("is {x} [a pet|kept as a pet|a house pet|somebody's pet]?", "[can|could|does|may] one keep {x} [as a pet|at home as a pet]?", "do people keep {x} as a pet?", "do people have {x} as pets?"),
    "flies": ("[can|does|could] {x} fly[| through the air| in the air]?", "does {x} have the power to fly?", "is {x} a thing that flies?", "{x} can fly, right?", "can {x} rise into the air?"),
    "swims": ("[can|does|could] {x} swim[| in water]?", "does {x} have the power to swim?", "is {x} a swimmer?", "{x} can swim, right?"),
    "alive": ("is {x} [alive|a living thing|a living being|something that lives|a creature or plant]?", "does {x} live?", "is there life in {x}?", "{x} is alive, right?"),
    "edible": ("[can|may|could|does] one eat {x}?", "is {x} [food|edible|something to eat|for eating]?", "can people eat {x}?", "{x} is food, right?", "could {x} be a meal?"),
    "electric": ("does {x} [need|use|want|take] [electricity|power|electric current]?", "is {x} [electric|an electric thing|powered by electricity]?", "does one plug {x} in?"),
    "farm": ("is {x} [a farm animal|kept on farms|an animal of the farm]?", "does a farmer [keep|have|raise] {x}?", "do farmers keep {x}?", "does {x} belong to a farm?"),
    "wheels": ("does {x} have [|any ]wheels?", "has {x} [|got ]wheels?", "are there wheels on {x}?", "is {x} a thing with wheels?", "{x} has wheels, right?"),
}


def words_of(text: str) -> list[str]:
    """The words of a form, placeholders among them."""
    return re.findall(r"\{\w\}|[a-z']+", text)


def triples(text: str) -> set[tuple[str, ...]]:
    """Every three words in a row; for a shorter text, all of it."""
    words = words_of(text)
    return {tuple(words[i : i + 3]) for i in range(max(1, len(words) - 2))}


@lru_cache(maxsize=1)
def kept_out() -> frozenset[tuple[str, ...]]:
    """Three words in a row that forms kept for evaluation have and those of training do not."""
    from .questions import FACT_FORMS, FORMS

    pairs = [entry for table in (FORMS, FACT_FORMS) for entry in table.values()]
    of = lambda part: {t for entry in pairs for form in entry[part] for t in triples(form)}
    return frozenset(of(1) - of(0))


def expand(template: str, rng: random.Random) -> str:
    """One choice of a template's alternatives."""
    inner = re.compile(r"\[([^\[\]]*)\]")
    while found := inner.search(template):
        template = template[: found.start()] + rng.choice(found[1].split("|")) + template[found.end() :]
    return re.sub(r"\s+", " ", template)


def spoiled(template: str, rng: random.Random) -> str:
    """A template with one of its own words left out, replaced or put in; what it asks about stays."""
    words = template.split()
    own = [i for i, word in enumerate(words) if "{" not in word]
    if not own:
        return template
    place, draw = rng.choice(own), rng.random()
    tail = words[place][-1] if words[place][-1] in "?.:," else ""
    if draw < 0.35 and len(own) > 2:
        words[place] = tail
    elif draw < 0.7:
        words[place] = rng.choice(FILLERS) + tail
    else:
        words.insert(place, rng.choice(FILLERS))
    return re.sub(r"\s+([?.:,])", r"\1", " ".join(w for w in words if w))


def wording(name: str, rng: random.Random, facts: bool, seen: tuple[str, ...]) -> str:
    """A form of its own for a question, or one of those that were there before (seen); never with words that are kept out."""
    more = (FACT_WORDINGS if facts else WORDINGS).get(name, ())
    while True:
        template = expand(rng.choice(seen if seen and rng.random() < 0.3 else more or seen), rng)
        if rng.random() < NOISE:
            template = spoiled(template, rng)
        template = rng.choice(OPENINGS) + template
        if not triples(template) & kept_out():
            return template


def worded(name: str, rng: random.Random, facts: bool, seen: tuple[str, ...], words: dict[str, str]) -> str:
    """A question in such a form."""
    return wording(name, rng, facts, seen).format(**words)
