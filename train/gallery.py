"""Writing held-out sets: pictures, Karpathy-style annotations, sentences for lookup, and evaluation queries.

    python gallery.py --folder ../embed/builtin/gallery --number 640           # the gallery in the binary
    python gallery.py --folder /data/mekiki-hard --number 10000 --hard         # the harder set, outside the repository
    python gallery.py --folder ../embed/builtin/gallery --number 640 --truth   # truth.json alone; nothing else is written
"""

import argparse
import json
import random
import re
from pathlib import Path

import numpy as np
from PIL import Image

from mekiki_world.backgrounds import BACKGROUNDS
from mekiki_world.captions import HYPERNYMS, NUMBERS, gallery_captions, near_miss, singular_of
from mekiki_world.kinds import plural_of
from mekiki_world.render import render
from mekiki_world.scenes import KINDS, Scene, held_out_scenes

SIDE = 256  # pixels
NONSENSE = (
    "asdf qwer zxcv", "colorless green ideas sleep furiously", "the quarterly report is due on friday", "x9 k2 p7 zz", "please restart the server", "lorem ipsum dolor sit amet",
    "my favourite number is seven", "how do i reset my password", "to be or not to be", "the meeting was moved to noon", "blah blah blah", "qqqqqqq", "interest rates rose again",
    "import numpy as np", "he said that she said", "why is this so slow", "happy new year everyone", "under no circumstances", "version three point two", "select all from users",
    "mlkjh gfdsq", "the theory of relativity", "a sonnet about loneliness", "tax return documents", "democracy and freedom", "an argument about grammar", "the sound of silence",
    "seventeen percent", "undefined is not a function", "jazz music playing softly", "the smell of rain", "a very good question", "error code 404", "yesterday at noon",
)
ABSENT = (
    "a wedding couple", "a man in a suit", "a woman reading a newspaper", "two children playing", "a football player", "a crowd at a concert", "a baby sleeping", "a surgeon in a hospital",
    "a bridge over a river", "a skyscraper in new york", "a waterfall", "a swimming pool", "a kitchen sink", "a washing machine", "a refrigerator", "a dishwasher", "a windmill", "a lighthouse",
    "a submarine", "a tank", "a wheelchair", "a skateboarder", "a pair of skis", "a sewing machine", "a microscope", "a syringe", "a passport", "a newspaper", "a map of europe",
    "a chess piece", "a deck of cards", "a jigsaw puzzle", "a vacuum cleaner", "a toothbrush", "a bar of soap", "a roll of toilet paper", "a walrus", "a seahorse", "a jellyfish",
    "a lobster", "a moose", "an ostrich", "a woodpecker", "a polar bear", "a bison", "a mosquito", "a cockroach", "a worm", "a seal", "an otter", "a sloth", "a llama", "a hippopotamus",
    "a mango", "a blueberry muffin tin", "an olive", "a cucumber", "a cauliflower", "a bowl of rice", "a waffle", "a dumpling", "a bottle of champagne", "a teapot", "a fork and a knife",
    "a parachute", "a roller coaster", "a ferris wheel", "a statue", "a volcano", "a mountain", "an island", "a flag", "a mailbox", "a ladder", "a bucket", "a broom", "a door", "a window",
)
FREE_FORMS = (
    "looking for {list}", "{list}, please", "do we have {list} {setting}?", "anything featuring {list}", "{list} located {setting}", "my shot of {list} {setting}", "show me {list}",
    "{list} positioned {setting}", "find {list}", "that drawing which had {list}",
)
CATEGORY_WORDS = {"fast food": "some fast food", "sea animal": "a marine creature", "vegetable": "a veggie", "clothes": "a garment", "vehicle": "a means of transport", "instrument": "something musical", "dessert": "something sugary"}


def slug(text: str) -> str:
    """Words for a file name."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def file_name(scene: Scene, number: int) -> str:
    """A name a person might give: the things, without counts or places."""
    return f"{slug(' '.join(KINDS[g.kind].name for g in scene.groups))[:60]}-{number:04d}"


def boxes(scene: Scene, owner: np.ndarray, group: int) -> list[list[int]]:
    """The boxes [left, top, right, bottom] in pixels, right and bottom excluded, around what is seen of each thing of a group."""
    found = []
    for i, thing in enumerate(scene.things):
        rows, columns = np.nonzero(owner == i)
        if thing.group == group and len(rows):
            found.append([int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1])
    return found


def truth(scene: Scene, owner: np.ndarray) -> dict:
    """What the scene holds, for scoring captions, and where, for scoring maps; owner is what render gives."""
    things = [{"kind": KINDS[g.kind].name, "count": g.count, "boxes": boxes(scene, owner, i)} for i, g in enumerate(scene.groups)]
    return {"things": things, "background": scene.background}


def write_truth(folder: Path, scenes: list[Scene], side: int) -> None:
    """Writes truth.json alone."""
    dump(folder / "truth.json", {file_name(s, i) + ".webp": truth(s, render(s, side)[1]) for i, s in enumerate(scenes)})


def free_query(scene: Scene, rng: random.Random) -> str | None:
    """A query in words and forms that training captions never use; None when some thing has no such word."""
    parts, fresh = [], 0
    for group in scene.groups:
        kind = KINDS[group.kind]
        if kind.held_out:
            word, fresh = rng.choice(kind.held_out), fresh + 1
        elif kind.category in CATEGORY_WORDS and group.count == 1 and rng.random() < 0.5:
            parts.append(CATEGORY_WORDS[kind.category])
            fresh += 1
            continue
        else:
            word = kind.name
        parts.append(singular_of(word) if group.count == 1 else f"{rng.choice(NUMBERS[group.count])} {plural_of(word)}")
    if fresh < max(1, (len(scene.groups) + 1) // 2):
        return None
    seen, held_out = BACKGROUNDS[scene.background]
    setting = rng.choice(held_out if rng.random() < 0.5 else seen)
    form = rng.choice([f for f in FREE_FORMS if "{setting}" in f] if len(scene.groups) < 3 else FREE_FORMS)
    return form.format(list=" plus ".join(parts) if rng.random() < 0.5 else " and ".join(parts), setting=setting)


def write(folder: Path, scenes: list[Scene], side: int, quality: int, seed: int, sentences: int) -> None:
    """Writes pictures, annotations.json, truth.json, texts.txt and queries/*.json; half is "val", half "test"."""
    rng = random.Random(f"gallery:{seed}")
    (folder / "images").mkdir(parents=True, exist_ok=True)
    for old in (folder / "images").glob("*.webp"):
        old.unlink()
    images, truths, free, near, names, sentence_id = [], {}, [], [], [], 0
    for number, scene in enumerate(scenes):
        name = file_name(scene, number) + ".webp"
        split = "val" if number % 2 == 0 else "test"
        picture, owner = render(scene, side)
        Image.fromarray(picture).save(folder / "images" / name, "WEBP", quality=quality, method=6)
        captions = gallery_captions(scene, rng)
        entries = [{"raw": c, "tokens": re.findall(r"[a-z0-9\-]+", c), "imgid": number, "sentid": sentence_id + i} for i, c in enumerate(captions)]
        sentence_id += len(entries)
        images.append({"filename": name, "filepath": "images", "imgid": number, "split": split, "sentids": [e["sentid"] for e in entries], "sentences": entries})
        truths[name] = truth(scene, owner)
        query = free_query(scene, rng)
        if query:
            free.append({"query": query, "images": [name], "split": split})
        pair = near_miss(scene, rng, rng.choice((0.3, 0.6, 1.0)))
        if pair:
            near.append({"image": name, "right": pair[0], "wrong": pair[1], "edit": pair[2], "split": split})
        if number % 12 == 0:
            names.append({"query": name.rsplit("-", 1)[0].replace("-", " "), "images": [name], "split": split})
    dump(folder / "annotations.json", {"dataset": "mekiki-gallery", "images": images})
    dump(folder / "truth.json", truths)
    queries = folder / "queries"
    queries.mkdir(exist_ok=True)
    dump(queries / "free_phrasing.json", free)
    dump(queries / "near_misses.json", near)
    dump(queries / "names.json", names)
    shapes = ("{}", "a photo of {}", "{} at home", "where is {}")
    nothing = [*NONSENSE, *(shapes[i % 4].format(a) for i, a in enumerate(ABSENT))]
    dump(queries / "no_match.json", [{"query": q, "images": [], "split": "val" if i % 2 == 0 else "test"} for i, q in enumerate(nothing)])
    every = [e["raw"] for image in images for e in image["sentences"]]
    extra = [c for s in held_out_scenes("texts", seed, 120, {x.key() for x in scenes}) for c in gallery_captions(s, rng)[:2]]
    lines = list(dict.fromkeys(rng.sample(every, min(sentences, len(every))) + extra))
    (folder / "texts.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def dump(path: Path, value) -> None:
    """JSON, one line an entry of a list, so that differences can be read."""
    if isinstance(value, list):
        text = "[\n" + ",\n".join(json.dumps(v) for v in value) + "\n]\n"
    elif "images" in value and "dataset" in value:
        text = '{"dataset": "mekiki-gallery", "images": [\n' + ",\n".join(json.dumps(v) for v in value["images"]) + "\n]}\n"
    else:
        text = "{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in value.items()) + "\n}\n"
    path.write_text(text, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--number", type=int, default=640)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--side", type=int, default=SIDE)
    parser.add_argument("--quality", type=int, default=82)
    parser.add_argument("--sentences", type=int, default=1200)
    parser.add_argument("--hard", action="store_true", help="mostly crowded scenes; other scenes than the gallery's")
    parser.add_argument("--truth", action="store_true", help="write truth.json alone, beside pictures that are there")
    given = parser.parse_args()
    taken = {s.key() for s in held_out_scenes("validation", given.seed, 600)}
    if given.hard:
        taken |= {s.key() for s in held_out_scenes("gallery", given.seed, 640, set(taken))}
        scenes = held_out_scenes("hard", given.seed, given.number, taken, smallest=3)
    else:
        scenes = held_out_scenes("gallery", given.seed, given.number, taken)
    if given.truth:
        write_truth(given.folder, scenes, given.side)
        return
    write(given.folder, scenes, given.side, given.quality, given.seed, given.sentences)


if __name__ == "__main__":
    main()
