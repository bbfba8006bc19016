"""Scenes: what is where. A scene is drawn from a seed and an index, and is independent of any resolution."""

import hashlib
import math
import random
from dataclasses import dataclass, field

from .backgrounds import NAMES as BACKGROUND_NAMES
from .backgrounds import VARIANTS
from .kinds import Kind, load_kinds

KINDS: list[Kind] = load_kinds()
CONTAINERS = ("box", "plate")
COLOURS = {
    "red": (200, 40, 40), "blue": (50, 90, 200), "green": (50, 150, 70), "yellow": (240, 210, 70), "white": (245, 245, 245),
    "black": (30, 30, 34), "pink": (245, 160, 190), "purple": (130, 70, 170),
}
HELD_OUT_SHARE = 20  # one combination in this many belongs to the held-out sets
SIZES = {1: (0.30, 0.58), 2: (0.28, 0.48), 3: (0.27, 0.42), 4: (0.26, 0.37), 5: (0.25, 0.34)}
BIG, SMALL = 0.45, 0.29


@dataclass
class Thing:
    """One drawn thing: centre and size as fractions of the picture's side, rotation in degrees."""

    kind: int
    group: int
    x: float
    y: float
    size: float
    rotation: int
    flipped: bool


@dataclass
class Group:
    """Things of one kind in a scene, as captions speak of them."""

    kind: int
    count: int
    size: float
    x: float
    y: float
    container: tuple[str, str] | None = None  # (container, colour) that the single thing is in or on


@dataclass
class Scene:
    """A whole scene, ready to draw and to describe."""

    background: str
    variant: int
    crop: tuple[float, float, bool]
    groups: list[Group]
    things: list[Thing]
    effects: dict = field(default_factory=dict)

    def key(self) -> str:
        """The combination of things: the kinds and the background, without counts or places."""
        return ",".join(str(k) for k in sorted(g.kind for g in self.groups)) + "@" + self.background


def is_held_out(key: str) -> bool:
    """Whether a combination belongs to the held-out sets rather than to the training stream."""
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=4).digest(), "big") % HELD_OUT_SHARE == 0


def group_sizes(rng: random.Random) -> list[int]:
    """How many things of how many kinds: between one and five things in all."""
    return list(
        rng.choices(
            [(1,), (2,), (3,), (4,), (5,), (1, 1), (2, 1), (1, 2), (2, 2), (3, 1), (1, 3), (3, 2), (1, 4),
             (1, 1, 1), (2, 1, 1), (1, 1, 2), (2, 2, 1), (1, 3, 1), (1, 1, 1, 1), (1, 1, 2, 1), (1, 1, 1, 1, 1)],
            [12, 5, 4, 3, 2, 24, 4, 4, 3, 3, 3, 2, 2, 14, 4, 4, 3, 2, 7, 2, 3],
        )[0]
    )


def place(rng: random.Random, sizes: list[float]) -> list[tuple[float, float]]:
    """Centres for things of the given sizes, kept mostly apart; some scenes allow more overlap."""
    apart = 0.36 if rng.random() < 0.12 else 0.47
    placed: list[tuple[float, float]] = []
    for i, size in enumerate(sizes):
        margin = size * 0.46
        best, best_gap = (0.5, 0.5), -9.0
        for _ in range(40):
            x, y = rng.uniform(margin, 1 - margin), rng.uniform(margin, 1 - margin)
            gap = min((math.hypot(x - px, y - py) - apart * (size + sizes[j]) for j, (px, py) in enumerate(placed)), default=1)
            if gap > best_gap:
                best, best_gap = (x, y), gap
            if gap >= 0:
                break
        placed.append(best)
    return placed


def draw_scene(rng: random.Random) -> Scene:
    """A random scene. Training and evaluation accept or reject it by its key."""
    counts = group_sizes(rng)
    kinds = rng.sample(range(len(KINDS)), len(counts))
    if len(kinds) > 1 and rng.random() < 0.15:  # near kinds together, so that they must be told apart
        same = [k.index for k in KINDS if k.category == KINDS[kinds[0]].category and k.index != kinds[0]]
        if same:
            kinds[1] = rng.choice(same)
            kinds = list(dict.fromkeys(kinds))
            counts = counts[: len(kinds)]
    groups, things = lay_out(rng, kinds, counts)
    return furnish(rng, rng.choice(BACKGROUND_NAMES), groups, things)


def lay_out(rng: random.Random, kinds: list[int], counts: list[int]) -> tuple[list[Group], list[Thing]]:
    """Sizes and places for so many things of each kind."""
    low, high = SIZES[sum(counts)]
    group_size = [rng.uniform(low, high) for _ in counts]
    sizes, owners = [], []
    for g, count in enumerate(counts):
        for _ in range(count):
            sizes.append(group_size[g] * rng.uniform(0.92, 1.08))
            owners.append(g)
    centres = place(rng, sizes)
    things = [
        Thing(kinds[g], g, x, y, s, rng.choice((-18, -9, 0, 0, 9, 18)), False)
        for g, s, (x, y) in zip(owners, sizes, centres)
    ]
    groups = []
    for g, count in enumerate(counts):
        mine = [t for t in things if t.group == g]
        groups.append(
            Group(kinds[g], count, sum(t.size for t in mine) / count, sum(t.x for t in mine) / count, sum(t.y for t in mine) / count)
        )
    return groups, things


def furnish(rng: random.Random, background: str, groups: list[Group], things: list[Thing]) -> Scene:
    """A scene of things that are laid out: perhaps a box or plate, specks, noise and the rest."""
    if rng.random() < 0.15:
        single = [g for g in groups if g.count == 1 and g.size < 0.5]
        colours = [c for c in COLOURS if c != background]
        if single:
            rng.choice(single).container = (rng.choice(CONTAINERS), rng.choice(colours))
    effects = {
        "gain": rng.uniform(0.85, 1.12), "offset": rng.uniform(-12, 12), "clutter": rng.choice((0, 0, 0, 3, 6, 10)),
        "noise": rng.choice((0, 0, 0, 3, 6)), "jpeg": rng.choice((0, 0, 0, 50, 75)), "bar": rng.random() < 0.06,
        "seed": rng.getrandbits(32),
    }
    return Scene(background, rng.randrange(VARIANTS), (rng.random(), rng.random(), rng.random() < 0.5), groups, things, effects)


def boxed(scene: Scene, rng: random.Random) -> Scene:
    """The scene with a box or plate for one of its single things, where it has none and room for one."""
    single = [g for g in scene.groups if g.count == 1 and g.size < 0.5]
    if single and not any(g.container for g in scene.groups):
        rng.choice(single).container = (rng.choice(CONTAINERS), rng.choice([c for c in COLOURS if c != scene.background]))
    return scene


def sibling(scene: Scene, rng: random.Random) -> Scene | None:
    """The same kinds on the same background, laid out anew, with another count of one kind, so that neither's captions are true
    of the other. None for five things of five kinds, which no count can change."""
    counts = [g.count for g in scene.groups]
    room = 5 - sum(counts)
    changes = [(i, c) for i, count in enumerate(counts) for c in range(max(1, count - 2), min(count + 2, count + room) + 1) if c != count]
    if not changes:
        return None
    changed, count = rng.choice(changes)
    counts[changed] = count
    return furnish(rng, scene.background, *lay_out(rng, [g.kind for g in scene.groups], counts))


def training_scene(seed: int, index: int) -> Scene:
    """The index-th scene of the training stream: never of a held-out combination."""
    rng = random.Random(f"train:{seed}:{index}")
    while True:
        scene = draw_scene(rng)
        if not is_held_out(scene.key()):
            return scene


def held_out_scenes(name: str, seed: int, number: int, taken: set[str] | None = None, smallest: int = 1) -> list[Scene]:
    """Scenes of held-out combinations with at least smallest things, no two with the same combination, nor with one in taken."""
    rng = random.Random(f"held-out:{name}:{seed}")
    taken = set() if taken is None else taken
    scenes: list[Scene] = []
    while len(scenes) < number:
        scene = draw_scene(rng)
        if is_held_out(scene.key()) and scene.key() not in taken and len(scene.things) >= smallest:
            taken.add(scene.key())
            scenes.append(scene)
    return scenes
