"""Facts about kinds that no picture shows, and which of them no picture question teaches."""

import hashlib
from functools import lru_cache
from pathlib import Path

from .scenes import KINDS

VALUED = ("class", "eats", "home", "legs", "skin", "use", "made", "way", "taste", "grows")
ANIMALS = ("animal", "bird", "insect", "fish")
# A yes/no fact, and the fact that a kind must have for the question to be worth asking; "" for any kind.
FLAGS = {"pet": "eats", "flies": "", "swims": "eats", "alive": "", "edible": "", "electric": "made", "farm": "eats", "wheels": "way"}
HELD_OUT_SHARE = 5  # one pair of kind and fact in this many is taught by text only


@lru_cache(maxsize=1)
def facts() -> list[dict[str, str]]:
    """For each kind, its facts: a value for a valued fact, "yes" or "no" for the others that are worth asking."""
    table = {}
    for line in (Path(__file__).parent / "facts.txt").read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        name, listed = line.split("|")
        own = dict(entry.partition("=")[::2] for entry in listed.split(";"))
        known = {key: value for key, value in own.items() if value}
        for flag, needed in FLAGS.items():
            if not needed or needed in known:
                known[flag] = "yes" if flag in own else "no"
        table[name] = known
    return [table[kind.name] for kind in KINDS]


def is_animal(kind: int) -> bool:
    """Whether a kind is an animal in the sense of questions such as "what animal is this?"."""
    return facts()[kind]["class"] in ANIMALS


def is_held_out(kind: int, fact: str) -> bool:
    """Whether this fact of this kind is taught by text only: no question about a picture or a described scene needs it."""
    key = f"fact:{KINDS[kind].name}:{fact}"
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=4).digest(), "big") % HELD_OUT_SHARE == 0
