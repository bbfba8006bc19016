"""The whole recipe: dense pretraining of the vision encoder, then BLIP-2's first stage (ITC, ITM, ITG).

    python train.py --preset cpu --output run      # a laptop's cores, about two hours
    python train.py --preset gpu --output run      # one data-centre GPU

Run it again to resume. Every setting of settings.py is a flag. Losses and held-out recall go to <output>/train.log,
and the checkpoint, in Hugging Face layout, to <output>/model.
"""

import json
import random
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

import export
import model as models
import pretrain_vision as vision
import vocabulary as words
from mekiki_world.captions import gallery_captions, near_miss, partial_pair, training_captions
from mekiki_world.render import render
from mekiki_world.scenes import KINDS, held_out_scenes, sibling, training_scene
from optimizer import Optimizer
from settings import Settings, parse

STAGE_ONE_OFFSET = 10**8  # stage 1 draws other scenes of the stream than stage 0


class TrainingHeads(vision.DenseHeads):
    """Read-outs used only while training: stage 0's, and what kinds a projected image part or text holds."""

    def __init__(self, width: int, projection: int):
        super().__init__(width)
        self.shared = nn.Linear(projection, len(KINDS) * vision.COUNTS)
        nn.init.normal_(self.shared.weight, std=0.02)
        nn.init.constant_(self.shared.bias, -4.0)


class Stream(torch.utils.data.Dataset):
    """Item i is batch i: pictures, dense targets, two captions a picture, and a near miss for some."""

    def __init__(self, settings: Settings, tokenizer: words.Tokenizer, strangers: list[str]):
        self.settings, self.tokenizer, self.strangers = settings, tokenizer, strangers

    def __len__(self):
        return 10**9

    def __getitem__(self, step: int):
        settings = self.settings
        columns, first, second, right, wrong = [], [], [], [], []
        for j in range(settings.batch):
            index = STAGE_ONE_OFFSET + step * settings.batch + j
            rng = random.Random(f"captions:{settings.seed}:{index}")
            like = sibling(scene, rng) if j % 2 and rng.random() < 2 * settings.siblings else None
            scene = like or training_scene(settings.seed, index)
            columns.append(vision.dense_example(scene, settings))
            a, b = training_captions(scene, rng, 2)
            first.append(a)
            second.append(b)
            if j < settings.matching:
                partly = rng.random() < settings.partial
                pair = partial_pair(scene, rng, self.strangers) if partly else near_miss(scene, rng, rng.choice((0.3, 0.6, 1.0)), vague=0.02, rare=0.35)
                right.append(pair[0] if pair else b)
                wrong.append(pair[1] if pair else "")
        encode = lambda texts: self.tokenizer.batch(texts, settings.text_length)
        dense = tuple(torch.from_numpy(np.stack(c)) for c in zip(*columns))
        return (*dense, encode(first), encode(first + second), encode(right + wrong))


def contrastive_loss(parts: torch.Tensor, texts: torch.Tensor, temperature: torch.Tensor):
    """ITC with the maximum over queries, both directions; each image has its texts at i and B + i."""
    batch = parts.shape[0]
    similarity = torch.einsum("bqw,tw->btq", parts, texts).amax(-1)
    logits = similarity / temperature
    own = torch.arange(batch, device=parts.device)
    by_image = logits.log_softmax(1)
    image_loss = -0.5 * (by_image[own, own] + by_image[own, batch + own]).mean()
    text_loss = F.cross_entropy(logits.t(), torch.cat([own, own]))
    return 0.5 * (image_loss + text_loss), similarity.detach()


def matching_loss(model, tokens, ids, near, similarity, temperature, number, easy=0.0):
    """ITM: true pairs, near misses of the words, and the hardest other texts and images of the batch (sampled).

    easy is the share of those other texts and images that are drawn evenly instead, while matching is young.
    """
    device = tokens.device
    right, wrong = near[:number], near[number:]
    weights = F.softmax(similarity[:, : len(tokens)] / temperature, 1).fill_diagonal_(0) + 1e-6
    weights = (1 - easy) * weights / weights.sum(1, keepdim=True) + easy / weights.shape[1]
    weights.fill_diagonal_(0)
    half = number // 2
    hard_text = torch.multinomial(weights[:half], 1)[:, 0]
    hard_image = torch.multinomial(weights.t()[half:number], 1)[:, 0]
    usable = wrong[:, 2] != 0  # an empty near miss is [CLS][SEP]
    length = max(ids.shape[1], near.shape[1])
    pad = lambda t: F.pad(t, (0, length - t.shape[1]))
    rows = torch.arange(number, device=device)
    images = torch.cat([rows, rows[usable], rows[:half], hard_image])
    texts = torch.cat([pad(right), pad(wrong)[usable], pad(ids)[hard_text], pad(ids)[half:number]])
    labels = torch.zeros(len(images), dtype=torch.int64, device=device)
    labels[:number] = 1
    logits = model.match_logits(tokens[images], texts)
    loss = F.cross_entropy(logits, labels)
    guess = logits.argmax(1)
    near_rows = slice(number, number + int(usable.sum()))
    return loss, (guess == labels).float().mean().item(), (guess[near_rows] == 0).float().mean().item()


def generation_loss(model, text_out, ids, seen_rows, position_of):
    """ITG: next-token cross-entropy over the tokens that captions use."""
    targets = ids[:, 1:]
    keep = targets != 0
    hidden = model.cls.predictions.transform(text_out[:, :-1][keep])
    logits = F.linear(hidden, model.embeddings.word_embeddings.weight[seen_rows], model.cls.predictions.bias[seen_rows])
    return F.cross_entropy(logits.float(), position_of[targets[keep]], label_smoothing=0.05)


@torch.no_grad()
def recall(model, tokenizer, settings, device, number) -> dict:
    """R@1 and R@5 of ITC on held-out scenes, both ways, and ITM's share of near misses seen through."""
    scenes = held_out_scenes("validation", settings.seed, number)
    rng = random.Random(5)
    dtype = next(model.vision_model.parameters()).dtype
    parts, tokens = [], []
    for start in range(0, number, 64):
        images = torch.from_numpy(np.stack([render(s, settings.image_size)[0] for s in scenes[start : start + 64]])).to(device)
        tokens.append(model.image_tokens(models.normalise(images).to(dtype)))
        parts.append(model.image_parts(model.attend(model.query_tokens.expand(len(images), -1, -1), None, tokens[-1], settings.query_tokens)))
    tokens, parts = torch.cat(tokens), torch.cat(parts)
    captions = [gallery_captions(s, rng) for s in scenes]
    texts = [c for five in captions for c in five]
    vectors = torch.cat([model.text_vectors(tokenizer.batch(texts[i : i + 250], settings.text_length).to(device)) for i in range(0, len(texts), 250)])
    similarity = torch.einsum("iqw,tw->itq", parts, vectors).amax(-1)
    owner = torch.arange(number, device=device).repeat_interleave(5)
    by_text = (similarity.t() > similarity.t().gather(1, owner[:, None])).sum(1)
    best_own = torch.stack([similarity[i, 5 * i : 5 * i + 5].max() for i in range(number)])
    by_image = (similarity > best_own[:, None]).sum(1)
    near = [(i, near_miss(s, rng, rng.choice((0.3, 0.6, 1.0)))) for i, s in enumerate(scenes)]
    near = [(i, pair) for i, pair in near if pair]
    rows = torch.tensor([i for i, _ in near], device=device)
    score = lambda texts: model.match_logits(tokens[rows], tokenizer.batch(texts, settings.text_length).to(device))[:, 1]
    better = score([p[0] for _, p in near]) > score([p[1] for _, p in near])
    share = lambda ranks, k: round((ranks < k).float().mean().item() * 100, 1)
    return {"text_to_image": [share(by_text, 1), share(by_text, 5)], "image_to_text": [share(by_image, 1), share(by_image, 5)],
            "near_miss": round(better.float().mean().item() * 100, 1)}


def run(settings: Settings) -> None:
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.set_num_threads(settings.threads)
    folder = Path(settings.output)
    folder.mkdir(parents=True, exist_ok=True)
    vision.run(settings)
    vocabulary, embeddings, seen = words.load_or_build(folder / "vocabulary.pt", settings.common_words, settings.qformer_width)
    tokenizer = words.Tokenizer(vocabulary)
    model = models.build(settings, len(vocabulary))
    model.embeddings.word_embeddings.weight.data.copy_(embeddings)
    heads = TrainingHeads(settings.vision_width, settings.projection)
    module = nn.ModuleDict({"model": model, "heads": heads}).to(device)
    optimizer = Optimizer(module, settings.matrix_rate, settings.other_rate, settings.word_rate, settings.weight_decay)
    optimizer.vision_factor = settings.vision_factor
    strangers = words.strangers(vocabulary, embeddings, seen)
    seen = seen.to(device)
    optimizer.freeze_rows("model.embeddings.word_embeddings.weight", seen)
    seen_rows = seen.nonzero()[:, 0]
    position_of = torch.zeros(len(vocabulary), dtype=torch.int64, device=device)
    position_of[seen_rows] = torch.arange(len(seen_rows), device=device)
    first, spent = 0, 0.0
    saved = folder / "stage1.pt"
    if saved.exists():
        state = torch.load(saved, map_location=device)
        optimizer.load(state["optimizer"])
        first, spent = state["step"], state["spent"]
    else:
        state = torch.load(folder / "vision.pt", map_location=device)["optimizer"]
        rename = lambda tensors: {n.replace("vision.", "model.vision_model.", 1) if n.startswith("vision.") else n: t for n, t in tensors.items()}
        optimizer.load({"masters": rename(state["masters"]), "first": rename(state["first"]), "second": rename(state["second"]), "count": 0})
    log = open(folder / "train.log", "a")
    began, sums, done = time.time() - spent, np.zeros(8), 0

    def progress(step):
        by_time = (time.time() - began) / (60 * settings.minutes) if settings.minutes else 0.0
        return max(step / settings.steps, by_time) if not settings.minutes else by_time

    for step, batch in enumerate(vision.loader(Stream(settings, tokenizer, strangers), first, 10**8, settings.workers), first):
        share = progress(step)
        if share >= 1:
            break
        images, labels, place, counts, ids, both, near = (c.to(device) for c in batch)
        kept = models.keep_patches(labels < len(KINDS), settings.patches) if settings.patches and share < settings.full_from else None
        tokens = model.image_tokens(models.normalise(images).bfloat16(), kept)
        if kept is not None:
            labels, place = labels.gather(1, kept), place.gather(1, kept[..., None].expand(-1, -1, 3))
        dense = vision.dense_losses(heads, tokens, labels, place, counts)
        queries, text_out = model.queries_and_causal_text(tokens, ids)
        parts, vectors = model.image_parts(queries), model.text_vectors(both)
        temperature = model.temp.float().clamp(0.01, 0.5)
        itc, similarity = contrastive_loss(parts, vectors, temperature)
        itg = generation_loss(model, text_out, ids, seen_rows, position_of)
        itm, itm_right, near_right = matching_loss(model, tokens, ids, near, similarity, temperature.detach(), settings.matching, 0.5 * settings.young * max(0.0, 1 - share / 0.4))
        helper_share = settings.young * max(0.0, 1 - share / 0.6)
        bce = lambda x, y: F.binary_cross_entropy_with_logits(heads.shared(16 * x.to(tokens.dtype)).float(), y, reduction="sum") / len(y)
        helper = bce(parts.mean(1), counts) + bce(vectors, torch.cat([counts, counts]))
        loss = itc + settings.generation_weight * itg + settings.matching_weight * itm + settings.dense_weight * (dense[0] + dense[1] + 0.1 * dense[2]) + 0.05 * helper_share * helper
        loss.backward()
        norm = optimizer.step(min(1.0, (step + 1) / settings.warmup, max(0.02, (1 - share) / settings.decay_share)), clip=2.0)
        sums += [itc.item(), itm.item(), itg.item(), dense[0].item(), helper.item(), itm_right, near_right, norm]
        done += 1
        if (step + 1) % settings.log_every == 0:
            names = ("itc", "itm", "itg", "dense", "helper", "itm_right", "near_right", "norm")
            line = {"step": step + 1, "share": round(share, 3), **dict(zip(names, (sums / settings.log_every).round(3).tolist())),
                    "temperature": round(temperature.item(), 4), "images_a_second": round(done * settings.batch / (time.time() - began - spent), 1)}
            sums[:] = 0
            if (step + 1) % settings.evaluate_every == 0:
                line |= recall(model, tokenizer, settings, device, settings.validation)
            print(json.dumps(line), file=log, flush=True)
        if (step + 1) % settings.save_every == 0:
            save(saved, folder, model, optimizer, vocabulary, seen, step + 1, time.time() - began)
    print(json.dumps({"end": True, **recall(model, tokenizer, settings, device, settings.validation)}), file=log, flush=True)
    save(saved, folder, model, optimizer, vocabulary, seen, step + 1, time.time() - began)


def save(path: Path, folder: Path, model, optimizer, vocabulary, seen, step: int, spent: float) -> None:
    """Saves for resuming, and exports the model as it stands."""
    torch.save({"optimizer": optimizer.state(), "step": step, "spent": spent}, str(path) + ".new")
    Path(str(path) + ".new").rename(path)
    masters = {n.removeprefix("model."): m for n, m in optimizer.masters.items() if n.startswith("model.")}
    export.write(folder / "model", model, vocabulary, masters, seen)


if __name__ == "__main__":
    run(parse(__doc__.split("\n")[0]))
