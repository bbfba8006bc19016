"""Stage 0: dense pretraining of the vision encoder on what every patch shows.

    python pretrain_vision.py --output run

Published BLIP-2 borrows a vision encoder; there is none to borrow here, so this one learns from labels that the drawn
world gives for nothing: the kind or background that each patch shows, where its thing's centre is, and the counts.
"""

import json
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

import model as models
from mekiki_world.backgrounds import NAMES as BACKGROUND_NAMES
from mekiki_world.render import patch_targets, render
from mekiki_world.scenes import KINDS, held_out_scenes, training_scene
from optimizer import Optimizer
from settings import Settings, parse

LABELS = len(KINDS) + len(BACKGROUND_NAMES)
COUNTS = 4  # thresholds: at least 1, 2, 3, 4 of a kind


class DenseHeads(nn.Module):
    """Linear read-outs used only while training."""

    def __init__(self, width: int):
        super().__init__()
        self.labels = nn.Linear(width, LABELS)
        self.place = nn.Linear(width, 3)
        self.counts = nn.Linear(width, len(KINDS) * COUNTS)
        nn.init.zeros_(self.counts.weight)
        nn.init.constant_(self.counts.bias, -4.0)


def dense_example(scene, settings: Settings):
    """The picture and its dense targets."""
    image, owner = render(scene, settings.image_size)
    labels, place = patch_targets(scene, owner, settings.image_size // settings.patch_size)
    counts = np.zeros((len(KINDS), COUNTS), np.float32)
    for group in scene.groups:
        counts[group.kind, : min(group.count, COUNTS)] = 1
    return image, labels, place, counts.reshape(-1)


def dense_losses(heads: DenseHeads, tokens: torch.Tensor, labels: torch.Tensor, place: torch.Tensor, counts: torch.Tensor):
    """Cross-entropy of patches, smooth L1 of centres and sizes, and binary cross-entropy of counts from the class token."""
    patches = tokens[:, 1:]
    label_loss = F.cross_entropy(heads.labels(patches).flatten(0, 1).float(), labels.flatten())
    known = ~torch.isnan(place[..., 0])
    place_loss = F.smooth_l1_loss(heads.place(patches).float()[known], place[known], beta=0.05)
    count_loss = F.binary_cross_entropy_with_logits(heads.counts(tokens[:, 0]).float(), counts, reduction="sum") / len(counts)
    return label_loss, place_loss, count_loss


class DenseStream(torch.utils.data.Dataset):
    """Item i is batch i of the training stream."""

    def __init__(self, settings: Settings):
        self.settings = settings

    def __len__(self):
        return 10**9

    def __getitem__(self, step: int):
        batch = self.settings.vision_batch
        columns = zip(*(dense_example(training_scene(self.settings.seed, step * batch + j), self.settings) for j in range(batch)))
        return tuple(torch.from_numpy(np.stack(c)) for c in columns)


def loader(stream, first: int, last: int, workers: int):
    """Batches first..last-1 of a stream, prepared in other processes."""
    return torch.utils.data.DataLoader(
        torch.utils.data.Subset(stream, range(first, last)), batch_size=None, num_workers=workers,
        prefetch_factor=4 if workers else None, persistent_workers=False,
    )


@torch.no_grad()
def validate(model, heads, settings, device, number=256) -> dict:
    """Patch accuracy, and exact recognition of which kinds are present, on held-out combinations."""
    scenes = held_out_scenes("vision", settings.seed, number)
    hits = things = thing_hits = found = wrong = total = 0
    for start in range(0, number, 64):
        part = [dense_example(s, settings) for s in scenes[start : start + 64]]
        images, labels, _, counts = (torch.from_numpy(np.stack(c)).to(device) for c in zip(*part))
        tokens = model.image_tokens(models.normalise(images).to(next(model.vision_model.parameters()).dtype))
        guess = heads.labels(tokens[:, 1:]).argmax(-1)
        hits += (guess == labels).float().mean().item() * len(part) / number
        is_thing = labels < len(KINDS)
        things += is_thing.sum().item()
        thing_hits += (guess == labels)[is_thing].sum().item()
        present = counts.view(len(part), len(KINDS), COUNTS)[..., 0] > 0
        read = (heads.counts(tokens[:, 0]).view(len(part), len(KINDS), COUNTS)[..., 0]) > 0
        found += (read & present).sum().item()
        wrong += (read & ~present).sum().item()
        total += present.sum().item()
    return {"patch_accuracy": hits, "thing_patch_accuracy": thing_hits / things, "kind_recall": found / total, "kind_false": wrong / total}


def run(settings: Settings) -> None:
    """Trains, or finishes training, the encoder into <output>/vision.pt."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.set_num_threads(settings.threads)
    folder = Path(settings.output)
    folder.mkdir(parents=True, exist_ok=True)
    saved = folder / "vision.pt"
    if saved.exists() and torch.load(saved, map_location="cpu")["step"] >= settings.vision_steps:
        return
    model = models.build(settings, 1000)
    models.whiten_patches(model, np.stack([render(training_scene(settings.seed, i), settings.image_size)[0] for i in range(384)]))
    heads = DenseHeads(settings.vision_width)
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    for parameter in model.vision_model.parameters():
        parameter.requires_grad_(True)
    module = nn.ModuleDict({"vision": model.vision_model, "heads": heads}).to(device)
    optimizer = Optimizer(module, settings.matrix_rate, settings.other_rate, settings.word_rate, settings.weight_decay)
    first = 0
    if saved.exists():
        state = torch.load(saved, map_location=device)
        optimizer.load(state["optimizer"])
        first = state["step"]
    log = open(folder / "vision.log", "a")
    began, sums = time.time(), np.zeros(3)
    for step, batch in enumerate(loader(DenseStream(settings), first, settings.vision_steps, settings.workers), first):
        images, labels, place, counts = (c.to(device) for c in batch)
        full = settings.vision_patches == 0 or step > 0.9 * settings.vision_steps
        kept = None if full else models.keep_patches(labels < len(KINDS), settings.vision_patches)
        tokens = model.image_tokens(models.normalise(images).bfloat16(), kept)
        if kept is not None:
            labels, place = labels.gather(1, kept), place.gather(1, kept[..., None].expand(-1, -1, 3))
        losses = dense_losses(heads, tokens, labels, place, counts)
        (losses[0] + 2.0 * losses[1] + 0.1 * losses[2]).backward()
        left = (settings.vision_steps - step) / (settings.decay_share * settings.vision_steps)
        norm = optimizer.step(min(1.0, (step + 1) / settings.warmup, 0.15 + 0.85 * left))
        sums += [x.item() for x in losses]
        if (step + 1) % settings.log_every == 0:
            line = {"step": step + 1, "losses": (sums / settings.log_every).round(4).tolist(), "norm": round(norm, 2),
                    "images_a_second": round((step + 1 - first) * settings.vision_batch / (time.time() - began), 1)}
            sums[:] = 0
            if (step + 1) % settings.evaluate_every == 0 or step + 1 == settings.vision_steps:
                line |= {k: round(v, 4) for k, v in validate(model, heads, settings, device).items()}
            print(json.dumps(line), file=log, flush=True)
        if (step + 1) % settings.save_every == 0 or step + 1 == settings.vision_steps:
            torch.save({"optimizer": optimizer.state(), "step": step + 1}, str(saved) + ".new")
            Path(str(saved) + ".new").rename(saved)


if __name__ == "__main__":
    run(parse(__doc__.split("\n")[0]))
