"""Image tokens of many training scenes, computed once: the vision encoder is frozen in the second stage.

    python pool.py --model ../embed/builtin/model --folder run/pool --shards 30

Shard n holds the scenes FIRST + n * SHARD onwards of the training stream: tokens-n.npy (float16, scenes x 65 x 192). Scenes
themselves are drawn again from their number. A shard that is there is left alone, so that several processes (`--part 0/2`)
and several runs add up.
"""

import argparse
import random
from pathlib import Path

import numpy as np
import torch

import evaluate
import model as models
from mekiki_world.render import render
from mekiki_world.scenes import Scene, boxed, training_scene

FIRST = 3 * 10**8  # the second stage draws other scenes of the stream than stages 0 and 1
SHARD = 2000
SEED = 1
BOXED = 0.33


def scene_of(number: int) -> Scene:
    """The scene of a row, counted through all shards. Boxes and plates are rare in the stream: a third of the scenes that have room for one get one."""
    scene, rng = training_scene(SEED, FIRST + number), random.Random(f"pool:{number}")
    return boxed(scene, rng) if rng.random() < BOXED else scene


def scenes_of(shard: int) -> list[Scene]:
    """The scenes of a shard, in the order of its rows."""
    return [scene_of(shard * SHARD + i) for i in range(SHARD)]


@torch.no_grad()
def image_tokens(model, scenes: list[Scene]) -> np.ndarray:
    """Image tokens [N, tokens, width] in float16 of drawn scenes."""
    side, rows = model.config.vision_config.image_size, []
    for start in range(0, len(scenes), 50):
        pictures = np.stack([render(s, side)[0] for s in scenes[start : start + 50]])
        rows.append(model.image_tokens(models.normalise(torch.from_numpy(pictures))).half().numpy())
    return np.concatenate(rows)


def load(folder: Path, most: int = 10**9) -> tuple[list[np.ndarray], list[int]]:
    """The shards that are there, memory-mapped, and their numbers."""
    numbers = sorted(int(p.stem.split("-")[1]) for p in folder.glob("tokens-*.npy"))[:most]
    return [np.load(folder / f"tokens-{n}.npy", mmap_mode="r") for n in numbers], numbers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", type=Path, default=Path("../embed/builtin/model"), help="the first stage's checkpoint folder")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--shards", type=int, default=30)
    parser.add_argument("--part", default="0/1", help="which of how many processes this is")
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    model, _ = evaluate.load(given.model)
    part, parts = map(int, given.part.split("/"))
    given.folder.mkdir(parents=True, exist_ok=True)
    for shard in range(part, given.shards, parts):
        path = given.folder / f"tokens-{shard}.npy"
        if not path.exists():
            np.save(given.folder / f"part-{shard}.npy", image_tokens(model, scenes_of(shard)))
            (given.folder / f"part-{shard}.npy").rename(path)
            print(path, flush=True)


if __name__ == "__main__":
    main()
