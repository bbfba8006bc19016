"""BLIP-2's second stage: a small language model learns from text, is frozen, and the Q-Former learns to speak to it.

    python answers.py --output run --model ../embed/builtin/model      # --model: the first stage's checkpoint; its vision encoder stays as it is

Run it again to resume. Losses and held-out accuracy go to <output>/answers.log; the checkpoint, a Hugging Face
Blip2ForConditionalGeneration folder, to <output>/answers. Stages, each with its own minutes (0: as many steps as its flag says):

    text      the tokenizer and the language model, from text alone
    pool      the image tokens of training pictures, computed once (pool.py; several processes can do it beside this)
    read      the Q-Former, from read-outs of its queries alone, without the language model
    picture   FC and Q-Former behind the frozen language model
    export    the folder
"""

import json
import random
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import nn
from torch.nn import functional as F

import evaluate
import language
import named
import pool
import slots
from mekiki_world.backgrounds import NAMES as BACKGROUNDS
from mekiki_world.questions import Asker, RELATING_WEIGHTS, SORT_WEIGHTS, named_fact, plain_caption, questions, statement
from mekiki_world.render import patch_targets, render
from mekiki_world.scenes import KINDS, Scene, boxed, held_out_scenes, training_scene
from optimizer import Optimizer
from settings import from_flags

PROMPTS = {"caption": "", "question": "Question: {} Short answer:", "dialogue": "Question: {} Answer:", "turn": "Question: {} Answer: {}."}
WIDTH = 48  # tokens of a bin of texts
LOOK_STRENGTH = 14.0  # of a family's read-out (about 0 or 1) in attention scores, when training begins
PLACE_STRENGTH = 2.0  # of places among values, in their usual deviations
BLIND = 1000  # segments from this number on see no picture


@dataclass
class Settings:
    """Sizes, lengths and rates. Fields are command-line flags."""

    output: str = "run"
    model: str = "../embed/builtin/model"
    from_: str = ""  # --from: an exported folder whose weights and tokenizer training goes on from
    places_anew: int = 0  # with --from: 1 gives the tokens that say places new vectors
    pool: str = ""  # folder of image tokens; <output>/pool when empty
    stage: str = "all"  # or text, pool, read, picture, export
    seed: int = 1
    vocabulary: int = 2000
    language_width: int = 256
    language_inner: int = 448
    language_layers: int = 5
    language_heads: int = 8
    language_kv_heads: int = 2
    shards: int = 40  # of 2,000 pictures each
    text_steps: int = 2500
    text_minutes: float = 0.0
    text_batch: int = 16
    text_first: int = 10**6  # first scene of the text stage; another one for a run that goes on
    varied: float = 0.85  # share of training questions in the wordings of mekiki_world/wordings.py
    relating: float = 0.0  # share of the text stage in which nearly all questions are about relations
    boxed: float = 0.2  # share of scenes in words that get a box or plate where they have none
    read_steps: int = 1500
    read_minutes: float = 0.0
    read_batch: int = 192
    picture_steps: int = 4000
    picture_minutes: float = 0.0
    picture_batch: int = 96
    told: int = 16  # pictures of a batch that the language model is asked about; all of them are read
    align: float = 1.0  # share of the picture stage that only reads and describes, before the language model is asked; with its loss read-outs grew worse
    asked: int = 8  # questions and captions of each scene in a batch
    name_weight: float = 1.0  # of the loss that teaches two layers of the language model where names are (named.py), falling to a fifth
    noise: float = 0.15  # of the words of a scene while the language model learns, relative to a word's length
    forget: float = 0.02  # share of described things that are left out of one place of the description
    read_weight: float = 0.5  # of the read-outs' loss behind the language model, falling to a fifth
    describe_weight: float = 1.0  # of the distance between projected queries and the words they should say
    matrix_rate: float = 5e-3
    other_rate: float = 1.5e-3
    picture_matrix_rate: float = 3e-3
    weight_decay: float = 0.02
    warmup: int = 20
    decay_share: float = 0.5
    threads: int = 2
    log_every: int = 20
    save_every: int = 50
    evaluate_every: int = 100


class Answerer(nn.Module):
    """The second stage behind image tokens: queries, Q-Former, FC, language model, under their published names."""

    def __init__(self, first, config):
        super().__init__()
        width = first.config.qformer_config.hidden_size
        self.query_tokens = nn.Parameter(torch.zeros(1, slots.SLOTS, width))
        self.qformer = first.qformer
        for layer in self.qformer.encoder.layer:  # the text's feed-forward layers have no part in the second stage
            layer.intermediate = layer.output = None
        self.language_projection = nn.Linear(width, config.hidden_size)
        self.language_model = language.Language(config)
        known = first.query_tokens.shape[1]
        with torch.no_grad():
            nn.init.normal_(self.query_tokens, std=0.5)
            self.query_tokens[:, :known] += first.query_tokens[:, : slots.SLOTS]
            nn.init.normal_(self.language_projection.weight, std=0.02)
            nn.init.zeros_(self.language_projection.bias)

    def queries(self, image: torch.Tensor) -> torch.Tensor:
        """Image tokens [B,N,D] to query outputs [B,Q,H]."""
        hidden = self.qformer.layernorm(self.query_tokens.expand(len(image), -1, -1))
        for layer in self.qformer.encoder.layer:
            hidden = layer.attention(hidden)
            if layer.has_cross_attention:
                hidden = layer.crossattention(hidden, encoder_hidden_states=image)
            hidden = layer.feed_forward_chunk_query(hidden)
        return hidden

    def described(self, ids: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """Bags of words [B,Q,K] to the vectors that a projected query should be [B,Q,H]."""
        words = self.language_model.embed(ids)
        return torch.einsum("bqkh,bqk->bqh", words, weights.to(words.dtype))


def linear_fit(inputs: torch.Tensor, outputs: torch.Tensor, weights: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    """Weight [outputs, inputs] and bias of a ridge regression."""
    share = torch.ones(len(inputs)) if weights is None else weights
    share = (share / share.sum())[:, None]
    mean, middle = (share * inputs).sum(0), (share * outputs).sum(0)
    centred = inputs - mean
    spread = centred.T @ (share * centred)
    spread += 1e-3 * spread.trace() / len(spread) * torch.eye(len(spread))
    weight = torch.linalg.solve(spread, centred.T @ (share * (outputs - middle))).T
    return weight, middle - weight @ mean


def patches_shown(image: torch.Tensor, scenes: list[Scene]) -> tuple[torch.Tensor, ...]:
    """Of every patch of the scenes' image tokens [N,1+P,D]: its token [N*P,D], the kind it shows, whether it shows any, the centre of that thing, and its own."""
    side = round((image.shape[1] - 1) ** 0.5)
    steps = (torch.arange(side) + 0.5) / side
    own = torch.stack([steps.repeat(side), steps.repeat_interleave(side)], 1)
    shown = [patch_targets(scene, render(scene, 16 * side)[1], side) for scene in scenes]
    kinds = torch.from_numpy(np.concatenate([labels for labels, _ in shown]))
    centres = torch.cat([own + torch.from_numpy(offsets[:, :2]) for _, offsets in shown])
    return image[:, 1:].float().flatten(0, 1), kinds, kinds < len(KINDS), centres, own.repeat(len(scenes), 1)


@torch.no_grad()
def focus(model: Answerer, image: torch.Tensor, scenes: list[Scene]) -> None:
    """Starts the cross-attentions where a look at the image tokens says that things are.

    In half of the heads of the first one, the query of a family looks at the patches of that family's things: keys get a linear
    read-out of the family of a patch. Of every head's values in all of them, two dimensions become the centre of a patch's thing. The first
    stage's cross-attentions carry kinds, but hardly places. image holds the scenes' image tokens [N,1+P,D], the class token first.
    """
    tokens, kinds, thing, centres, _ = patches_shown(image, scenes)
    centres = centres[thing]
    places, _ = linear_fit(tokens[thing], centres)
    families = torch.where(thing, kinds // slots.FAMILY, slots.FAMILIES)
    found, _ = linear_fit(tokens, F.one_hot(families, slots.FAMILIES + 1)[:, : slots.FAMILIES].float())
    first = True
    for layer in model.qformer.encoder.layer:
        if not layer.has_cross_attention:
            continue
        attention = layer.crossattention.attention
        size = attention.attention_head_size
        scale = PLACE_STRENGTH * (tokens @ attention.value.weight.T).std(0).mean() / (tokens[thing] @ places.T).std()
        for head in range(attention.num_attention_heads):
            last = slice((head + 1) * size - 2, (head + 1) * size)
            attention.value.weight[last] = scale * places
            attention.value.bias[last] = -scale * places @ tokens[thing].mean(0)
        if first:
            look(model, layer, found)
        first = False


def look(model: Answerer, layer: nn.Module, found: torch.Tensor) -> None:
    """Makes half of the heads of a cross-attention look where a family is found [FAMILIES, D]; other queries ask as before."""
    attention = layer.crossattention.attention
    before = layer.attention(model.qformer.layernorm(model.query_tokens))[0]  # the queries as they come to this attention
    group = slice(slots.FIRST_GROUP, slots.FIRST_GROUP + slots.FAMILIES)
    for head in range(attention.num_attention_heads // 2):
        own = slice(head * attention.attention_head_size, (head + 1) * attention.attention_head_size)
        wanted = before @ attention.query.weight[own].T + attention.query.bias[own]
        wanted[:, : slots.FAMILIES] = 0
        wanted[group] = 0
        wanted[group, : slots.FAMILIES] = LOOK_STRENGTH * attention.attention_head_size**0.5 * torch.eye(slots.FAMILIES)
        attention.key.weight[own][: slots.FAMILIES] = found
        attention.key.bias[own][: slots.FAMILIES] = 0
        attention.query.weight[own] = torch.linalg.lstsq(before, wanted - attention.query.bias[own]).solution.T


class ReadOuts(nn.Module):
    """Linear read-outs of the query outputs, used only while training."""

    def __init__(self, width: int):
        super().__init__()
        containers = 1 + len(slots.CONTAINERS) * len(slots.COLOUR_NAMES)
        self.background, self.total = nn.Linear(width, len(BACKGROUNDS)), nn.Linear(width, 5)
        self.groups, self.counts, self.sizes, self.places = (nn.Linear(width, n) for n in (len(KINDS) + 1, 6, 3, 4))
        self.container, self.holding = nn.Linear(width, containers), nn.Linear(width, len(KINDS) + 1)
        family = torch.arange(len(KINDS) + 1) // slots.FAMILY == torch.arange(slots.FAMILIES)[:, None]
        family[:, slots.NOTHING] = True
        self.allowed = torch.cat([family, torch.ones(1, len(KINDS) + 1, dtype=torch.bool)])  # [GROUPS, kinds + 1]
        self.rare = torch.ones(len(KINDS) + 1)  # most slots are empty: that one is said less often than seen
        self.rare[slots.NOTHING] = 0.2

    def losses(self, queries: torch.Tensor, labels: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """The loss of every read-out; how often each is right goes to self.right."""
        groups, last = queries[:, slots.FIRST_GROUP : slots.CONTAINER], queries[:, -1:]
        full = labels["groups"] != slots.NOTHING
        kinds = self.groups(groups).float().masked_fill(~self.allowed, -1e4)
        logits = {
            "background": self.background(queries[:, :1]), "total": self.total(queries[:, 1:2]), "counts": self.counts(groups)[full], "sizes": self.sizes(groups)[full],
            "container": self.container(last), "holding": self.holding(last),
        }
        wanted = {n: labels[n][full] if n in ("counts", "sizes") else labels[n] for n in logits}
        losses = {n: F.cross_entropy(l.float().flatten(0, -2), wanted[n].flatten()) for n, l in logits.items()}
        losses["groups"] = F.cross_entropy(kinds.flatten(0, 1), labels["groups"].flatten(), self.rare)
        places = self.places(groups).float()[full]
        losses["places"] = F.smooth_l1_loss(places, labels["places"][full], beta=0.05)
        share = lambda hits: hits.float().mean().item()
        self.right = {n: share(l.argmax(-1) == wanted[n]) for n, l in logits.items()}
        guess = kinds.argmax(-1)
        self.right |= {"groups": share((guess == labels["groups"])[full]), "empty": share((guess == slots.NOTHING)[~full]), "off": (places - labels["places"][full]).abs().mean().item()}
        return losses


WEIGHTS = {"background": 0.5, "total": 0.5, "groups": 4.0, "counts": 1.5, "sizes": 0.5, "places": 3.0, "container": 0.5, "holding": 0.5}


def label_tensors(labels: list[dict[str, list[int]]]) -> dict[str, torch.Tensor]:
    return {name: torch.tensor([l[name] for l in labels]) for name in labels[0]}


class Texts:
    """Makes packed rows of texts, each text a segment that sees the picture's vectors and itself."""

    def __init__(self, tokenizer: Tokenizer, varied: float = 0.0):
        self.tokenizer, self.varied = tokenizer, varied

    def ids(self, text: str) -> list[int]:
        return self.tokenizer.encode(text, add_special_tokens=False).ids if text else []

    def segment(self, *parts: tuple[str, bool]) -> tuple[list[int], list[bool]]:
        """Token ids from <s> to </s>, and which of them are learned."""
        ids, learned = [language.BEGIN], [False]
        for text, learn in parts:
            new = self.ids(text)
            ids += new
            learned += [learn] * len(new)
        return ids + [language.END], learned + [True]

    def asked(self, question: str, answer: str, short: bool = True):
        return self.segment((PROMPTS["question" if short else "dialogue"].format(question), False), (" " + answer, True))

    def dialogue(self, turns: list[tuple[str, str]]):
        parts = []
        for i, (question, answer) in enumerate(turns):
            parts += [(" " * (i > 0) + PROMPTS["dialogue"].format(question), False), (" " + answer, True)] + ([(".", False)] if i + 1 < len(turns) else [])
        return self.segment(*parts)

    def of_scene(self, scene: Scene, rng: random.Random, number: int, shares: dict[str, int] | None = None) -> list:
        """Texts about a scene: mostly questions, of sorts by shares, one dialogue, one or two captions."""
        made = [self.segment((rng.choice(("", "", "a photo of")), False), (" " + plain_caption(scene, rng), True))]
        asked = questions(scene, rng, number + 1, varied=self.varied, shares=shares)
        made.append(self.dialogue([(q.text, q.answer) for q in asked[:3]]))
        return made + [self.asked(q.text, q.answer, rng.random() < 0.75) for q in asked[3:]]

    def blind(self, scene: Scene, rng: random.Random) -> list:
        """Texts without a picture: facts by name, and what is answered to a question about a picture that is not there."""
        made = [self.asked(*named_fact(rng, self.varied), rng.random() < 0.6) for _ in range(2)]
        if rng.random() < 0.3:
            made.append(self.segment((" " + statement(rng), True)))
        if rng.random() < 0.3:
            made += [self.asked(q.text, q.answer) for q in questions(scene, rng, 1, varied=self.varied)]
        return made

    @staticmethod
    def pack(rows: list[tuple[list, list]], prefix: int) -> dict[str, torch.Tensor]:
        """(texts that see, texts that do not) of each picture, packed into bins of equal length, equally many a picture.

        Returns ids, positions and targets [B*n,W], and mask [B*n,W,prefix+W] (true: sees). places says where each text is: its row and first token.
        """
        texts = [[(t, i < len(seen)) for i, t in enumerate(seen + blind)] for seen, blind in rows]
        width = max(WIDTH, max(len(t[0]) for row in texts for t, _ in row))
        filled = [first_fit([len(t[0]) for t, _ in row], width) for row in texts]
        number = max(max(b for b, _ in places) + 1 for places in filled)
        shape = (len(rows) * number, width)
        ids, targets = np.full(shape, language.PAD), np.full(shape, -100)
        segments, positions = np.full(shape, -1), np.zeros(shape, np.int64)
        for r, (row, places) in enumerate(zip(texts, filled)):
            for s, (((text, learned), sees), (bin_, at)) in enumerate(zip(row, places)):
                b, end = r * number + bin_, at + len(text)
                ids[b, at:end] = text
                targets[b, at : end - 1] = [t if l else -100 for t, l in zip(text[1:], learned[1:])]
                segments[b, at:end] = s + 1 if sees else BLIND + s
                start = prefix if sees else 0
                positions[b, at:end] = range(start, start + len(text))
        ids, targets, segments, positions = map(torch.from_numpy, (ids, targets, segments, positions))
        same = (segments[:, :, None] == segments[:, None, :]) & torch.ones(width, width, dtype=torch.bool).tril()
        picture = (segments < BLIND)[:, :, None].expand(-1, -1, prefix)
        places = [[(r * number + bin_, at) for bin_, at in places] for r, places in enumerate(filled)]
        return {"ids": ids, "targets": targets, "positions": positions, "mask": torch.cat([picture, same], 2), "places": places}


def first_fit(lengths: list[int], width: int) -> list[tuple[int, int]]:
    """A bin and a first place for each length, longest first."""
    full, places = [], [(0, 0)] * len(lengths)
    for i in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        bin_ = next((b for b, used in enumerate(full) if used + lengths[i] <= width), len(full))
        if bin_ == len(full):
            full.append(0)
        places[i] = (bin_, full[bin_])
        full[bin_] += lengths[i]
    return places


def text_loss(model: language.Language, prefix: torch.Tensor, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Cross-entropy of the learned tokens behind a prefix of vectors."""
    return word_loss(model, model.hidden(prefix, batch), batch)


def word_loss(model: language.Language, hidden: torch.Tensor, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Cross-entropy of the learned tokens, from a pass's outputs."""
    learned = batch["targets"] != -100
    return F.cross_entropy(model.logits(hidden[learned]), batch["targets"][learned])


class Schedule:
    """How much of a stage is done, by its steps or by the clock; and its rate."""

    def __init__(self, settings: Settings, steps: int, minutes: float, step: int, spent: float):
        self.settings, self.steps, self.minutes = settings, steps, minutes
        self.step, self.began = step, time.time() - spent

    def share(self) -> float:
        return (time.time() - self.began) / (60 * self.minutes) if self.minutes else self.step / self.steps

    def rate(self) -> float:
        return min(1.0, (self.step + 1) / self.settings.warmup, max(0.02, (1 - self.share()) / self.settings.decay_share))

    def spent(self) -> float:
        return time.time() - self.began


class Stage:
    """What the stages share: a log, saving and resuming."""

    def __init__(self, settings: Settings, name: str, module: nn.Module, optimizer: Optimizer, steps: int, minutes: float):
        self.settings, self.name, self.optimizer = settings, name, optimizer
        self.path = Path(settings.output) / f"{name}.pt"
        step, spent = 0, 0.0
        if self.path.exists():
            state = torch.load(self.path)
            optimizer.load(state["optimizer"])
            step, spent = state["step"], state["spent"]
        self.schedule = Schedule(settings, steps, minutes, step, spent)
        self.log = open(Path(settings.output) / "answers.log", "a")
        self.sums: dict[str, float] = {}
        self.counted = 0

    def done(self, values: dict[str, float], check=None) -> None:
        """Counts a step; logs, measures and saves when it is time."""
        settings, schedule = self.settings, self.schedule
        schedule.step += 1
        self.counted += 1
        for name, value in values.items():
            self.sums[name] = self.sums.get(name, 0.0) + value
        if schedule.step % settings.log_every == 0:
            line = {"stage": self.name, "step": schedule.step, "share": round(schedule.share(), 3), "seconds": round(schedule.spent())}
            line |= {n: round(v / self.counted, 3) for n, v in self.sums.items()}
            if check and schedule.step % settings.evaluate_every == 0:
                line |= check()
            print(json.dumps(line), file=self.log, flush=True)
            self.sums, self.counted = {}, 0
        if schedule.step % settings.save_every == 0:
            self.save()

    def save(self) -> None:
        new = self.path.with_suffix(".new")
        torch.save({"optimizer": self.optimizer.state(), "step": self.schedule.step, "spent": self.schedule.spent(), "finished": self.schedule.share() >= 1}, new)
        new.rename(self.path)


def finished(settings: Settings, name: str) -> bool:
    path = Path(settings.output) / f"{name}.pt"
    return path.exists() and torch.load(path)["finished"]


def validation_scenes(seed: int, number: int) -> list[Scene]:
    """Held-out scenes that are neither the first stage's validation nor the gallery's."""
    taken = {s.key() for s in held_out_scenes("validation", seed, 600)}
    taken |= {s.key() for s in held_out_scenes("gallery", seed, 640, set(taken))}
    return held_out_scenes("answers", seed, number, taken)


def validation_questions(scenes: list[Scene], seed: int = 3) -> list[list]:
    """For each scene: one question of each sort in forms seen in training, one in a held-out form, and a held-out fact."""
    rng, rows = random.Random(seed), []
    for scene in scenes:
        made = [q for sort in SORT_WEIGHTS if (q := Asker(scene, rng).question(sort))]
        made += [q for sort in SORT_WEIGHTS if rng.random() < 0.3 and (q := Asker(scene, rng, held_out_forms=True).question(sort))]
        made += [q for q in [Asker(scene, rng, held_out_facts=True).fact()] if q]
        rows.append(made)
    return rows


@torch.no_grad()
def accuracy(model: Answerer, texts: Texts, asked: list[list], prefix_of, step: int = 20) -> dict[str, float]:
    """The share of answers right, by sort: greedy decoding, read off one teacher-forced pass."""
    right: dict[str, list[bool]] = {}
    dtype = model.query_tokens.dtype
    for start in range(0, len(asked), step):
        part = asked[start : start + step]
        prefix = prefix_of(slice(start, start + step)).to(dtype)
        made = [[texts.asked(q.text, q.answer) for q in row] for row in part]
        blind = prefix.abs().sum() == 0  # no picture: texts stand alone
        batch = texts.pack([([], row) if blind else (row, []) for row in made], prefix.shape[1])
        guess = model.language_model.logits(model.language_model.hidden(prefix, batch)).argmax(-1)
        wrong = (guess != batch["targets"]) & (batch["targets"] != -100)
        for row, own, places in zip(part, made, batch["places"]):
            for q, (text, _), (b, at) in zip(row, own, places):
                ok = not wrong[b, at : at + len(text)].any().item()
                name = "held-out fact" if q.held_out_fact else q.sort
                right.setdefault(name, []).append(ok)
                right.setdefault("all", []).append(ok)
    return {n: round(100 * sum(v) / len(v), 1) for n, v in sorted(right.items())}


def load_tokenizer(settings: Settings) -> Tokenizer:
    path = Path(settings.output) / "tokenizer.json"
    if settings.from_ and not path.exists():
        path.write_text((Path(settings.from_) / "tokenizer.json").read_text(encoding="utf-8"), encoding="utf-8")
    return Tokenizer.from_file(str(path)) if path.exists() else language.train_tokenizer(path, settings.vocabulary)


def build(settings: Settings, tokenizer: Tokenizer) -> Answerer:
    torch.manual_seed(settings.seed)
    first, _ = evaluate.load(Path(settings.model))
    model = Answerer(first, language.configuration(settings, tokenizer.get_vocab_size())).train()
    if settings.from_:
        go_on_from(model, Path(settings.from_))
    if settings.places_anew or not settings.from_:
        rows = torch.nn.init.orthogonal_(torch.empty(len(slots.SIDES), model.language_model.config.hidden_size))
        with torch.no_grad():
            model.language_model.model.embed_tokens.weight[slots.side_tokens(tokenizer)] = slots.SIDE_SIZE * rows
    return model


@torch.no_grad()
def go_on_from(model: Answerer, folder: Path) -> None:
    """Gives the model an exported folder's tensors. Where its language model has more layers than the folder's, the new ones stand
    evenly between the known ones and change nothing at first: what they write is zero."""
    tensors = {n: t.float() for n, t in load_file(folder / "model.safetensors").items() if not n.startswith("vision_model.")}
    stem, layers = "language_model.model.layers.", model.language_model.model.layers
    known = 1 + max(int(n.removeprefix(stem).split(".")[0]) for n in tensors if n.startswith(stem))
    place_of = [round((i + 1) * len(layers) / known) - 1 for i in range(known)]
    moved = {}
    for name, tensor in tensors.items():
        if name.startswith(stem):
            number, rest = name.removeprefix(stem).split(".", 1)
            name = f"{stem}{place_of[int(number)]}.{rest}"
        moved[name] = tensor
    for i in set(range(len(layers))) - set(place_of):
        layers[i].self_attn.o_proj.weight.zero_()
        layers[i].mlp.down_proj.weight.zero_()
    _, unexpected = model.load_state_dict(moved, strict=False)
    if unexpected:
        raise ValueError(f"{folder}: tensors that this model lacks: {unexpected[:3]}")


def text_scene(number: int, relating: bool) -> Scene:
    """A scene of the text stage: the number-th of its stream, or where relations are learned the next one from there that shows any."""
    tries = (training_scene(language.TEXT_SEED, number + 10**9 * further) for further in range(100))
    return next((s for s in tries if not relating or sum(g.count == 1 for g in s.groups) > 1), training_scene(language.TEXT_SEED, number))


def held_rows(model: Answerer, optimizer: Optimizer, rows: list[int]):
    """A function that gives rows of the word embedding back what they are now. While nothing asks for places, they are noise to everything else, and
    training makes the tokens of opposite sides alike (a cosine of 0.5 after 2,000 steps)."""
    name = "language_model.model.embed_tokens.weight"
    master, parameter = optimizer.masters[name], dict(model.named_parameters())[name]
    kept = master[rows].clone()

    @torch.no_grad()
    def keep() -> None:
        master[rows] = kept
        parameter[rows] = kept.to(parameter.dtype)

    return keep


def text_stage(settings: Settings) -> None:
    """The language model, from text alone."""
    if finished(settings, "text"):
        return
    tokenizer = load_tokenizer(settings)
    model, texts, bags, names = build(settings, tokenizer), Texts(tokenizer, settings.varied), slots.Bags(tokenizer), named.Names(tokenizer)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name.startswith("language_model."))
    model.bfloat16()
    stage = Stage(settings, "text", model, Optimizer(model, settings.matrix_rate, settings.other_rate, 0, settings.weight_decay), settings.text_steps, settings.text_minutes)
    scenes = validation_scenes(settings.seed, 120)
    asked = validation_questions(scenes)
    described = bags.tensors([slots.labels_of(s) for s in scenes])
    check = lambda: accuracy(model, texts, asked, lambda part: model.described(described[0][part], described[1][part]))
    keep_sides = held_rows(model, stage.optimizer, bags.sides)
    while stage.schedule.share() < 1:
        step = stage.schedule.step
        rng = random.Random(f"text:{settings.seed}:{step}")
        relating = stage.schedule.share() < settings.relating
        drawn = [text_scene(settings.text_first + step * settings.text_batch + i, relating) for i in range(settings.text_batch)]
        drawn = [boxed(s, rng) if rng.random() < settings.boxed else s for s in drawn]
        rows = [(texts.of_scene(s, rng, settings.asked, RELATING_WEIGHTS if relating else None), texts.blind(s, rng)) for s in drawn]
        batch, labels = texts.pack(rows, slots.SLOTS), [slots.labels_of(s) for s in drawn]
        ids, weights = bags.tensors([slots.spoil(l, rng, settings.forget) for l in labels])
        prefix = model.described(ids, weights)
        size = model.language_model.model.embed_tokens.weight.detach().float().square().mean().sqrt()
        prefix = prefix + (settings.noise * size * torch.randn_like(prefix))
        points = names.points(rows, labels, batch)
        hidden, looks = model.language_model.looking(prefix, batch, {layer: part[:2] for layer, part in points.items()})
        loss, (looking, (finds, reads)) = word_loss(model.language_model, hidden, batch), named.losses(looks, points)
        (loss + settings.name_weight * max(0.2, 1 - stage.schedule.share()) * looking).backward()
        norm = stage.optimizer.step(stage.schedule.rate(), clip=2.0)
        keep_sides()
        stage.done({"loss": loss.item(), "looking": looking.item(), "finds": finds, "reads": reads, "norm": norm}, check)
    stage.save()
    blind = torch.zeros(len(scenes), slots.SLOTS, model.language_model.config.hidden_size)
    print(json.dumps({"stage": "text", "end": True, "described": check(), "blind": accuracy(model, texts, asked, lambda part: blind[part])}), file=stage.log, flush=True)


def load_part(model: nn.Module, path: Path, prefix: str) -> None:
    """Copies the masters of a finished stage whose names begin with prefix."""
    masters = torch.load(path)["optimizer"]["masters"]
    own = dict(model.named_parameters())
    with torch.no_grad():
        for name, value in masters.items():
            if name.startswith(prefix):
                own[name].copy_(value)


class Pictures:
    """Batches of pool pictures in a random order, and their scenes."""

    def __init__(self, folder: Path, most: int):
        self.folder, self.most, self.numbers = folder, most, []
        self.refresh()

    def refresh(self) -> None:
        """Takes in shards that have appeared."""
        self.shards, self.numbers = pool.load(self.folder, self.most)

    def row(self, rng: random.Random) -> tuple[int, int]:
        """A shard and a row of it, at random."""
        return rng.randrange(len(self.shards)), rng.randrange(pool.SHARD)

    def batch(self, rng: random.Random, number: int) -> tuple[torch.Tensor, list[Scene]]:
        rows = [self.row(rng) for _ in range(number)]
        tokens = np.stack([self.shards[s][r] for s, r in rows])
        return torch.from_numpy(tokens), [pool.scene_of(self.numbers[s] * pool.SHARD + r) for s, r in rows]


def slot_weights(labels: dict[str, torch.Tensor]) -> torch.Tensor:
    """How much each slot counts [B,SLOTS]: one in ten for those that say nothing, which are most."""
    weights = torch.ones(len(labels["groups"]), slots.SLOTS)
    weights[:, slots.FIRST_GROUP : slots.CONTAINER][labels["groups"] == slots.NOTHING] = 0.1
    weights[:, -1:][labels["container"] == 0] = 0.1
    return weights


@torch.no_grad()
def fit_projection(model: Answerer, bags: slots.Bags, pictures: Pictures, number: int = 1500) -> None:
    """Starts FC at the linear fit from query outputs to the words they should say."""
    image, scenes = pictures.batch(random.Random(1), number)
    queries = torch.cat([model.queries(part.float()) for part in image.split(100)]).flatten(0, 1)
    labels = [slots.labels_of(s) for s in scenes]
    words = model.described(*bags.tensors(labels)).flatten(0, 1)
    share = slot_weights(label_tensors(labels)).flatten()
    weight, bias = linear_fit(queries, words, share)
    model.language_projection.weight.copy_(weight)
    model.language_projection.bias.copy_(bias)


def fit_heads(model: Answerer, heads: ReadOuts, pictures: Pictures, number: int = 1500, steps: int = 250) -> None:
    """Starts the read-outs, which are not exported, at what the queries already say."""
    image, scenes = pictures.batch(random.Random(2), number)
    with torch.no_grad():
        queries = torch.cat([model.queries(part.float()) for part in image.split(100)])
    labels = label_tensors([slots.labels_of(s) for s in scenes])
    own = torch.optim.Adam(heads.parameters(), lr=5e-3)
    for step in range(steps):
        rows = torch.randint(number, (200,), generator=torch.Generator().manual_seed(step))
        losses = heads.losses(queries[rows], {n: l[rows] for n, l in labels.items()})
        own.zero_grad()
        sum(WEIGHTS[n] * l for n, l in losses.items()).backward()
        own.step()


def reading(model: Answerer, heads: ReadOuts, image: torch.Tensor, labels: dict[str, torch.Tensor]):
    queries = model.queries(image)
    losses = heads.losses(queries, labels)
    return queries, sum(WEIGHTS[n] * l for n, l in losses.items())


def seeing(settings: Settings) -> tuple[Answerer, ReadOuts, nn.ModuleDict, Tokenizer]:
    tokenizer = load_tokenizer(settings)
    model = build(settings, tokenizer)
    heads = ReadOuts(model.query_tokens.shape[-1])
    return model, heads, nn.ModuleDict({"model": model, "heads": heads}), tokenizer


def read_stage(settings: Settings) -> None:
    """The Q-Former, from read-outs of its queries alone."""
    if finished(settings, "read"):
        return
    model, heads, module, _ = seeing(settings)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name.startswith(("query_tokens", "qformer.")))
    pictures = Pictures(Path(settings.pool or Path(settings.output) / "pool"), settings.shards)
    focus(model, *pictures.batch(random.Random(0), 800))
    module.bfloat16()
    stage = Stage(settings, "read", module, Optimizer(module, settings.matrix_rate, settings.other_rate, 0, settings.weight_decay), settings.read_steps, settings.read_minutes)
    while stage.schedule.share() < 1:
        rng = random.Random(f"read:{settings.seed}:{stage.schedule.step}")
        if stage.schedule.step % 50 == 0:
            pictures.refresh()
        image, scenes = pictures.batch(rng, settings.read_batch)
        _, loss = reading(model, heads, image.bfloat16(), label_tensors([slots.labels_of(s) for s in scenes]))
        loss.backward()
        norm = stage.optimizer.step(stage.schedule.rate(), clip=5.0)
        stage.done({"loss": loss.item(), "norm": norm, **heads.right})
    stage.save()


def picture_stage(settings: Settings) -> None:
    """FC and Q-Former behind the frozen language model."""
    if finished(settings, "picture"):
        return
    model, heads, module, tokenizer = seeing(settings)
    folder = Path(settings.output)
    load_part(model, folder / "text.pt", "language_model.")
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(not name.startswith("language_model."))
    if (folder / "read.pt").exists():
        load_part(module, folder / "read.pt", "")
    texts, bags = Texts(tokenizer, settings.varied), slots.Bags(tokenizer)
    pictures = Pictures(Path(settings.pool or folder / "pool"), settings.shards)
    if not (folder / "picture.pt").exists():
        fit_projection(model, bags, pictures)
        if settings.from_ and not (folder / "read.pt").exists():
            fit_heads(model, heads, pictures)
    module.bfloat16()
    stage = Stage(settings, "picture", module, Optimizer(module, settings.picture_matrix_rate, settings.other_rate, 0, settings.weight_decay), settings.picture_steps, settings.picture_minutes)
    scenes = validation_scenes(settings.seed, 300)
    asked = validation_questions(scenes)
    first, _ = evaluate.load(Path(settings.model))
    shown = torch.from_numpy(pool.image_tokens(first, scenes)).bfloat16()
    check = lambda: accuracy(model, texts, asked, lambda part: model.language_projection(model.queries(shown[part])))
    size = model.language_model.model.embed_tokens.weight.detach().float().square().mean()
    while stage.schedule.share() < 1:
        step, share = stage.schedule.step, stage.schedule.share()
        rng = random.Random(f"picture:{settings.seed}:{step}")
        if step % 50 == 0:
            pictures.refresh()
        image, drawn = pictures.batch(rng, settings.picture_batch)
        labels = [slots.labels_of(s) for s in drawn]
        wanted_labels = label_tensors(labels)
        queries, read = reading(model, heads, image.bfloat16(), wanted_labels)
        prefix = model.language_projection(queries)
        wanted = model.described(*bags.tensors(labels))
        share_of = slot_weights(wanted_labels)
        describe = ((prefix.float() - wanted.float()).square().mean(-1) * share_of).sum() / share_of.sum() / size
        loss = torch.zeros(())
        if share >= settings.align:
            batch = texts.pack([(texts.of_scene(s, rng, settings.asked), []) for s in drawn[: settings.told]], slots.SLOTS)
            loss = text_loss(model.language_model, prefix[: settings.told], batch)
        fade = 1 - 0.8 * min(1.0, share / 0.7)
        (loss + fade * (settings.read_weight * read + settings.describe_weight * describe)).backward()
        norm = stage.optimizer.step(stage.schedule.rate(), clip=5.0)
        stage.done({"loss": loss.item(), "describe": describe.item(), "read": read.item(), "norm": norm, **heads.right}, check)
    stage.save()
    print(json.dumps({"stage": "picture", "end": True, **check()}), file=stage.log, flush=True)


def main() -> None:
    settings = from_flags(Settings, __doc__.split("\n")[0])
    torch.set_num_threads(settings.threads)
    Path(settings.output).mkdir(parents=True, exist_ok=True)
    stages = {"text": text_stage, "read": read_stage, "picture": picture_stage}
    for name, run in stages.items():
        if settings.stage in ("all", name):
            run(settings)


if __name__ == "__main__":
    main()
