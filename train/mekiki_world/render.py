"""Drawing a scene: cached sprites over a cropped background, then clutter, noise and JPEG artefacts."""

import io
import random
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .backgrounds import NAMES as BACKGROUND_NAMES
from .backgrounds import pool
from .kinds import GLYPH_FONT
from .scenes import COLOURS, KINDS, Scene

SIZE_STEP = 32  # sprite sizes are rounded to this fraction of the picture's side


@lru_cache(maxsize=None)
def glyph(kind: int) -> Image.Image:
    """The kind's glyph, cropped to its ink and padded to a square, RGBA with premultiplied colour."""
    font = ImageFont.truetype(GLYPH_FONT, 109)
    image = Image.new("RGBA", (136, 128), (0, 0, 0, 0))
    ImageDraw.Draw(image).text((0, 0), KINDS[kind].glyph, font=font, embedded_color=True)
    image = image.crop(image.getbbox())
    side = max(image.size)
    square = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    square.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    return square.convert("RGBa")


@lru_cache(maxsize=60000)
def sprite(kind: int, side: int, rotation: int) -> np.ndarray:
    """A premultiplied RGBA sprite, uint8, whose unrotated side is `side` pixels."""
    image = glyph(kind)
    if rotation:
        image = image.rotate(rotation, Image.BICUBIC, expand=True)
    scale = side / glyph(kind).width
    target = max(4, round(image.width * scale))
    return np.asarray(image.resize((target, target), Image.BICUBIC, reducing_gap=3.0))


@lru_cache(maxsize=8)
def noise_bank(resolution: int) -> np.ndarray:
    """Unit normal noise to crop from, float32, (2 x resolution) a side."""
    return np.random.default_rng(7).normal(size=(2 * resolution, 2 * resolution, 3)).astype(np.float32)


def paste(canvas: np.ndarray, image: np.ndarray, left: int, top: int) -> tuple[slice, slice, np.ndarray] | None:
    """Composites a premultiplied sprite in place; returns the touched region and its opacity mask."""
    side_y, side_x = canvas.shape[:2]
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + image.shape[1], side_x), min(top + image.shape[0], side_y)
    if x1 <= x0 or y1 <= y0:
        return None
    part = image[y0 - top : y1 - top, x0 - left : x1 - left]
    region = canvas[y0:y1, x0:x1]
    alpha = part[..., 3:].astype(np.float32) * (1 / 255)
    region *= 1 - alpha
    region += part[..., :3]
    return slice(y0, y1), slice(x0, x1), part[..., 3] > 110


def draw_container(canvas: np.ndarray, container: tuple[str, str], x: float, y: float, size: float) -> None:
    """Draws the box or plate that a thing is in or on, centred on the thing."""
    resolution = canvas.shape[0]
    side = round(size * 1.42 * resolution)
    image = Image.new("RGBA", (side * 2, side * 2), (0, 0, 0, 0))
    pen = ImageDraw.Draw(image)
    colour = COLOURS[container[1]]
    shade = tuple(int(c * 0.72) for c in colour)
    if container[0] == "plate":
        pen.ellipse((0, 0, side * 2 - 1, side * 2 - 1), fill=shade)
        rim = side // 8
        pen.ellipse((rim, rim, side * 2 - 1 - rim, side * 2 - 1 - rim), fill=colour)
    else:
        pen.rectangle((0, 0, side * 2 - 1, side * 2 - 1), fill=shade)
        rim = side // 6
        pen.rectangle((rim, rim, side * 2 - 1 - rim, side * 2 - 1 - rim), fill=colour)
    image = image.convert("RGBa").resize((side, side), Image.BICUBIC)
    paste(canvas, np.asarray(image), round(x * resolution - side / 2), round(y * resolution - side / 2))


def render(scene: Scene, resolution: int) -> tuple[np.ndarray, np.ndarray]:
    """Draws the scene at resolution x resolution.

    Returns the picture (uint8, HxWx3) and, for each pixel, the index of the thing that owns it (uint8; 255 for none).
    """
    rng = random.Random(scene.effects["seed"])
    master = pool(scene.background, resolution)[scene.variant]
    slack = master.shape[0] - resolution
    y0, x0 = round(scene.crop[0] * slack), round(scene.crop[1] * slack)
    canvas = master[y0 : y0 + resolution, x0 : x0 + resolution].astype(np.float32)
    if scene.crop[2]:
        canvas = canvas[:, ::-1].copy()
    owner = np.full((resolution, resolution), 255, np.uint8)
    for _ in range(scene.effects["clutter"]):  # small specks that no caption mentions
        side = max(1, round(rng.uniform(0.008, 0.028) * resolution))
        y, x = rng.randrange(resolution - side), rng.randrange(resolution - side)
        shade = np.asarray([rng.uniform(40, 230) for _ in range(3)], np.float32)
        speck = canvas[y : y + side, x : x + side * (1 + rng.randrange(3))]
        speck *= 0.5
        speck += 0.5 * shade
    for group in scene.groups:
        if group.container:
            draw_container(canvas, group.container, group.x, group.y, group.size)
    for i, thing in enumerate(scene.things):
        side = max(8, round(thing.size * SIZE_STEP) * resolution // SIZE_STEP)
        image = sprite(thing.kind, side, thing.rotation)
        if thing.flipped:
            image = image[:, ::-1]
        touched = paste(canvas, image, round(thing.x * resolution - image.shape[1] / 2), round(thing.y * resolution - image.shape[0] / 2))
        if touched:
            owner[touched[0], touched[1]][touched[2]] = i
    if scene.effects["bar"]:  # a thin post in front of everything
        width = max(1, round(rng.uniform(0.015, 0.03) * resolution))
        x = rng.randrange(resolution - width)
        canvas[:, x : x + width] = rng.uniform(30, 120)
    canvas *= scene.effects["gain"]
    canvas += scene.effects["offset"]
    if scene.effects["noise"]:
        bank = noise_bank(resolution)
        y, x = rng.randrange(resolution), rng.randrange(resolution)
        canvas += bank[y : y + resolution, x : x + resolution] * scene.effects["noise"]
    image = np.clip(canvas, 0, 255).astype(np.uint8)
    if scene.effects["jpeg"]:
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, "JPEG", quality=scene.effects["jpeg"])
        image = np.asarray(Image.open(buffer))
    return image, owner


def patch_targets(scene: Scene, owner: np.ndarray, grid: int) -> tuple[np.ndarray, np.ndarray]:
    """What each of grid x grid patches shows, for the dense pretraining of the vision encoder.

    Returns labels (int64: a kind, or len(KINDS) + background index) and, for patches of things, the offset to the
    thing's centre and its size (float32, grid x grid x 3, fractions of the side).
    """
    cell = owner.shape[0] // grid
    cells = owner.reshape(grid, cell, grid, cell).transpose(0, 2, 1, 3).reshape(grid * grid, cell * cell)
    share = np.stack([(cells == i).mean(1) for i in range(len(scene.things))], 1)
    best = share.argmax(1)
    is_thing = share.max(1) > 0.12
    kinds = np.asarray([t.kind for t in scene.things])
    labels = np.where(is_thing, kinds[best], len(KINDS) + BACKGROUND_NAMES.index(scene.background)).astype(np.int64)
    centre = np.asarray([(t.x, t.y, t.size) for t in scene.things], np.float32)[best]
    step = (np.arange(grid, dtype=np.float32) + 0.5) / grid
    centre[:, 0] -= np.tile(step, grid)
    centre[:, 1] -= np.repeat(step, grid)
    centre[~is_thing] = np.nan
    return labels, centre
