"""What the second stage's queries are asked to say while training: a scene in words, one bag of words a slot.

Text of this form is the context in which the language model learns to answer, before it ever sees a picture; the Q-Former then
learns to write it. Slot 0 holds the background, slot 1 how many things there are. Each of the next 20 is a family's: the group of
eleven kinds that stand together in the table, with its count, its size and how far left, right, up and down it reaches. One
slot more holds a second group of a family, and the last one a box or plate and what it holds.
"""

import random
from functools import lru_cache

import torch

from mekiki_world.backgrounds import NAMES as BACKGROUNDS
from mekiki_world.questions import NUMBERS, behind, where
from mekiki_world.scenes import BIG, COLOURS, CONTAINERS, KINDS, SMALL, Scene

FAMILY = 11  # kinds
FAMILIES = -(-len(KINDS) // FAMILY)
FIRST_GROUP = 2
GROUPS = FAMILIES + 1
CONTAINER = FIRST_GROUP + GROUPS
SLOTS = CONTAINER + 1
NOTHING = len(KINDS)  # the class of an empty slot
COLOUR_NAMES = list(COLOURS)
# How far a group reaches to a side is said by tokens of its own, of bytes that no UTF-8 text holds (0xC0, 0xC1, 0xF5, 0xF6): the words left and
# right grow so alike in training (a cosine of 0.89) that places said by them drown.
SIDES = ("\u00c0", "\u00c1", "\u00f5", "\u00f6")
SIDE_SIZE = 3.0  # length of those tokens' vectors, about that of the others
BAG = 18  # tokens of a slot at most


def extent(things) -> tuple[float, float, float, float]:
    """How far a group reaches to the left, right, top and bottom, by its centres: 1 is the edge."""
    return 1 - min(t.x for t in things), max(t.x for t in things), 1 - min(t.y for t in things), max(t.y for t in things)


def labels_of(scene: Scene) -> dict[str, list]:
    """What each slot should say: background, total - 1; kind, count, size and extent of groups; container and what it holds."""
    kinds, counts, sizes, places = [NOTHING] * GROUPS, [0] * GROUPS, [0] * GROUPS, [(0.0,) * 4] * GROUPS
    container, holding = 0, NOTHING
    for index, group in sorted(enumerate(scene.groups), key=lambda entry: entry[1].kind):
        slot = group.kind // FAMILY
        if kinds[slot] != NOTHING:
            slot = FAMILIES
        kinds[slot], counts[slot] = group.kind, group.count
        sizes[slot] = 1 if group.size > BIG else 2 if group.size < SMALL else 0
        places[slot] = extent([t for t in scene.things if t.group == index])
        if group.container:
            what, colour = group.container
            container, holding = 1 + CONTAINERS.index(what) * len(COLOUR_NAMES) + COLOUR_NAMES.index(colour), group.kind
    return {
        "background": [BACKGROUNDS.index(scene.background)], "total": [len(scene.things) - 1], "groups": kinds, "counts": counts, "sizes": sizes, "places": places,
        "container": [container], "holding": [holding],
    }


def side_tokens(tokenizer) -> list[int]:
    """The tokens of SIDES."""
    return [tokenizer.token_to_id(side) for side in SIDES]


class Bags:
    """The words of slots as token ids and weights."""

    def __init__(self, tokenizer):
        self.tokenizer = tokenizer
        self.sides = side_tokens(tokenizer)
        self.part = lru_cache(maxsize=None)(self.part)

    def part(self, words: str, weight: float) -> list[tuple[int, float]]:
        """A phrase as weighted tokens: together they weigh as much as one word."""
        ids = self.tokenizer.encode(" " + words, add_special_tokens=False).ids
        return [(i, weight / len(ids) ** 0.5) for i in ids]

    def scene(self, labels: dict[str, list]) -> list[list[tuple[int, float]]]:
        """The bags of all slots."""
        part = self.part
        background = BACKGROUNDS[labels["background"][0]]
        bags = [part(behind(background), 1.0) + part(where(background), 0.5), part(NUMBERS[labels["total"][0] + 1], 1.0) + part("things", 0.5)]
        for kind, count, size, place in zip(labels["groups"], labels["counts"], labels["sizes"], labels["places"]):
            if kind == NOTHING:
                bags.append(part("nothing", 0.5))
                continue
            sides = [(side, 2 * value - 1) for side, value in zip(self.sides, place)]
            bags.append(part(KINDS[kind].name, 1.0) + part(NUMBERS[count], 1.0) + sides + (part(("", "big", "small")[size], 0.5) if size else []))
        container, holding = labels["container"][0], labels["holding"][0]
        if container:
            what, colour = divmod(container - 1, len(COLOUR_NAMES))
            bags.append(part(CONTAINERS[what], 0.7) + part(COLOUR_NAMES[colour], 0.7) + part(KINDS[holding].name, 0.7))
        else:
            bags.append(part("nothing", 0.5) + part("box", 0.25))
        return bags

    def tensors(self, scenes: list[dict[str, list]]) -> tuple[torch.Tensor, torch.Tensor]:
        """Token ids and weights [B, SLOTS, BAG]."""
        ids, weights = torch.zeros(len(scenes), SLOTS, BAG, dtype=torch.int64), torch.zeros(len(scenes), SLOTS, BAG)
        for b, labels in enumerate(scenes):
            for s, bag in enumerate(self.scene(labels)):
                bag = bag[:BAG]
                ids[b, s, : len(bag)] = torch.tensor([i for i, _ in bag])
                weights[b, s, : len(bag)] = torch.tensor([w for _, w in bag])
        return ids, weights


def spoil(labels: dict[str, list], rng: random.Random, share: float, off: float = 0.04) -> dict[str, list]:
    """Labels with places a little off (the usual deviation, in sides) and a count forgotten now and then, so that the language model does not lean on one slot alone."""
    kept = {name: list(values) for name, values in labels.items()}
    kept["places"] = [tuple(min(1.0, max(0.0, v + rng.gauss(0, off))) for v in place) for place in kept["places"]]
    if rng.random() < share:
        kept["total"] = [rng.randrange(5)]
    return kept
