"""Backgrounds: procedural textures, drawn once into a pool and cropped for each scene."""

from functools import lru_cache

import numpy as np
from PIL import Image

MASTER = 320  # side of a master texture, pixels
VARIANTS = 24  # masters for each background
CROP = 256  # side of a scene's crop of a master

# name: (phrases that training captions use, phrases kept for evaluation)
BACKGROUNDS = {
    "grass": (("on the grass", "on a lawn", "in a green meadow", "on green grass", "in a field of grass"), ("on the turf", "in a pasture")),
    "sea": (("on the sea", "in the ocean", "on blue water", "at sea", "on the waves"), ("in the surf", "amid the deep")),
    "night": (("in the night sky", "at night", "under the stars", "in a starry sky", "in the dark sky"), ("after sunset among constellations", "at midnight")),
    "sky": (("in the blue sky", "in a clear sky", "up in the sky", "among the clouds", "in the daytime sky"), ("up in the heavens", "high in the air")),
    "sunset": (("at sunset", "in the evening sky", "in front of a sunset", "at dusk", "under an orange sky"), ("at twilight", "at the end of the day")),
    "desk": (("on a wooden desk", "on a table", "on a wooden table", "on a desk", "on wood"), ("on a workbench", "on timber planks")),
    "snow": (("in the snow", "on snowy ground", "on white snow", "in a snowy field", "on the snow"), ("in a wintry landscape", "on frozen ground")),
    "sand": (("on the sand", "on a beach", "on sandy ground", "in the desert", "on yellow sand"), ("among the dunes", "on the seashore")),
    "brick": (("in front of a brick wall", "on a brick wall", "against red bricks", "by a brick wall", "before a wall of bricks"), ("against masonry",)),
    "stone": (("on gray stones", "on the pavement", "on a stone floor", "on cobblestones", "on the street"), ("on the sidewalk", "on rocky ground")),
    "forest": (("in the forest", "in the woods", "among dark leaves", "in the jungle", "in front of dark green leaves"), ("in thick vegetation", "in the rainforest")),
    "checker": (("on a checkered cloth", "on a checkered floor", "on a checkerboard", "on checkered tiles", "on a chessboard pattern"), ("on a squared tablecloth",)),
    "stripes": (("on a striped background", "on striped cloth", "in front of stripes", "on a striped wall", "on stripes"), ("on a lined pattern",)),
    "red": (("on a red background", "in front of a red wall", "on plain red", "on red paper", "against red"), ("on a crimson backdrop", "against a scarlet screen")),
    "blue": (("on a blue background", "in front of a blue wall", "on plain blue", "on blue paper", "against blue"), ("on a navy backdrop",)),
    "green": (("on a green background", "in front of a green wall", "on plain green", "on green paper", "against green"), ("on an emerald backdrop",)),
    "yellow": (("on a yellow background", "in front of a yellow wall", "on plain yellow", "on yellow paper", "against yellow"), ("on a golden backdrop",)),
    "pink": (("on a pink background", "in front of a pink wall", "on plain pink", "on pink paper", "against pink"), ("on a rosy backdrop",)),
    "purple": (("on a purple background", "in front of a purple wall", "on plain purple", "on purple paper", "against purple"), ("on a lilac backdrop",)),
    "white": (("on a white background", "in front of a white wall", "on plain white", "on white paper", "against white"), ("on a blank page",)),
    "black": (("on a black background", "in front of a black wall", "on plain black", "on black paper", "against black"), ("on a pitch dark backdrop",)),
}
NAMES = list(BACKGROUNDS)
PLAIN = {
    "red": (205, 45, 45), "blue": (45, 85, 205), "green": (50, 160, 70), "yellow": (242, 215, 60), "pink": (248, 165, 195),
    "purple": (130, 65, 170), "white": (245, 245, 243), "black": (22, 22, 26),
}


def smooth_noise(rng: np.random.Generator, cells_x: int, cells_y: int) -> np.ndarray:
    """Smooth noise in [-1, 1], MASTER x MASTER float32, with about the given number of cells a side."""
    grid = Image.fromarray(rng.uniform(-1, 1, (cells_y + 1, cells_x + 1)).astype(np.float32))
    return np.asarray(grid.resize((MASTER, MASTER), Image.BICUBIC))


def blend(low, high, weight: np.ndarray) -> np.ndarray:
    """Colours between low and high, by a weight in [0, 1] for each pixel."""
    weight = np.clip(weight, 0, 1)[..., None]
    return np.asarray(low, np.float32) * (1 - weight) + np.asarray(high, np.float32) * weight


def draw(name: str, rng: np.random.Generator) -> np.ndarray:
    """One master texture of the named background: MASTER x MASTER x 3 uint8."""
    vertical = np.linspace(0, 1, MASTER, dtype=np.float32)[:, None] * np.ones((1, MASTER), np.float32)
    row, column = np.mgrid[0:MASTER, 0:MASTER]
    fine = smooth_noise(rng, 160, 160)
    coarse = smooth_noise(rng, 6, 6)
    if name in PLAIN:
        colour = np.asarray(PLAIN[name], np.float32) + rng.uniform(-14, 14, 3)
        image = colour + coarse[..., None] * 6 + fine[..., None] * 2
    elif name == "grass":
        blades = smooth_noise(rng, 110, 26)
        image = blend((40, 110, 30), (130, 190, 70), 0.5 + 0.4 * blades + 0.2 * coarse + 0.15 * fine)
    elif name == "sea":
        waves = smooth_noise(rng, 14, 60)
        image = blend((10, 70, 130), (90, 175, 215), 0.45 + 0.35 * waves + 0.2 * coarse + 0.1 * (vertical - 0.5))
    elif name == "night":
        image = blend((8, 10, 35), (35, 35, 85), 0.5 + 0.4 * coarse + 0.3 * (vertical - 0.5))
        for _ in range(150):
            y, x = rng.integers(0, MASTER - 3, 2)
            side = rng.integers(1, 4)
            image[y : y + side, x : x + side] = rng.uniform(150, 255)
    elif name == "sky":
        clouds = smooth_noise(rng, 9, 14) + 0.5 * smooth_noise(rng, 24, 30)
        image = blend((95, 165, 235), (245, 250, 255), 0.15 + 0.25 * vertical + 0.5 * np.clip(clouds - 0.1, 0, 1))
    elif name == "sunset":
        image = blend((120, 50, 110), (255, 165, 70), vertical * 1.1 + 0.15 * smooth_noise(rng, 4, 20))
    elif name == "desk":
        rings = np.sin(smooth_noise(rng, 3, 14) * 9 + row / MASTER * 30)
        image = blend((120, 75, 40), (190, 135, 85), 0.5 + 0.25 * rings + 0.15 * fine + 0.15 * coarse)
        image[row % 107 < 3] *= 0.7
    elif name == "snow":
        image = blend((205, 220, 238), (252, 253, 255), 0.65 + 0.4 * smooth_noise(rng, 12, 20) + 0.2 * fine)
    elif name == "sand":
        ripples = np.sin(row / 7.0 + 5 * coarse)
        image = blend((205, 170, 110), (240, 215, 160), 0.5 + 0.2 * ripples + 0.25 * fine)
    elif name == "brick":
        height, width = 28, 60
        course = row // height
        shifted = column + (course % 2) * (width // 2)
        tone = rng.uniform(-0.3, 0.3, (MASTER // height + 2, MASTER // width + 3))[course, shifted // width]
        image = blend((140, 50, 35), (195, 95, 70), 0.5 + tone + 0.2 * fine)
        image[(row % height < 4) | (shifted % width < 4)] = (200, 190, 180)
    elif name == "stone":
        height, width = 42, 46
        course = row // height
        shifted = column + (course % 3) * 15
        tone = rng.uniform(-0.4, 0.4, (MASTER // height + 2, MASTER // width + 3))[course, shifted // width]
        image = blend((105, 105, 110), (170, 170, 172), 0.5 + tone + 0.25 * fine)
        image[(row % height < 4) | (shifted % width < 4)] = (75, 75, 78)
    elif name == "forest":
        leaves = np.abs(smooth_noise(rng, 34, 34)) + 0.5 * smooth_noise(rng, 12, 12)
        image = blend((10, 35, 15), (45, 95, 40), 0.3 + 0.9 * leaves)
    elif name == "checker":
        pale = np.asarray((240, 236, 230)) + rng.uniform(-8, 8, 3)
        dark = np.asarray([(205, 70, 70), (80, 120, 190), (90, 90, 90), (110, 165, 110)][rng.integers(4)])
        image = np.where((((row // 32) + (column // 32)) % 2 == 0)[..., None], pale, dark) + fine[..., None] * 4
    elif name == "stripes":
        pale = np.asarray((240, 232, 215)) + rng.uniform(-8, 8, 3)
        dark = np.asarray([(225, 140, 150), (120, 170, 215), (150, 190, 140), (225, 185, 110)][rng.integers(4)])
        along = column if rng.random() < 0.5 else row
        image = np.where(((along // 20) % 2 == 0)[..., None], pale, dark) + fine[..., None] * 4
    else:
        raise ValueError(f"no background is called {name!r}")
    return np.clip(image, 0, 255).astype(np.uint8)


@lru_cache(maxsize=None)
def pool(name: str, resolution: int) -> list[np.ndarray]:
    """The masters of one background, scaled so that a scene's crop is resolution pixels a side."""
    masters = []
    side = round(MASTER * resolution / CROP)
    for variant in range(VARIANTS):
        master = draw(name, np.random.default_rng([NAMES.index(name), variant, 20261]))
        masters.append(np.asarray(Image.fromarray(master).resize((side, side), Image.BICUBIC)))
    return masters
