"""Goes on with a finished first stage: its Q-Former learns where things are and what colour their boxes have, so that ITM and captions can tell relations and colours.

    python pool.py --folder run/pool --shards 24
    python refine.py --pool run/pool --output run --minutes 60

The vision encoder stays as it is: its image tokens, which hold places and colours (probe_relations.py), are computed once by pool.py, and what
was trained behind it elsewhere, the second stage, goes on to fit. What search reads, the image's parts and the texts' vectors, is held to what
it was. New are linear read-outs of every token that names a kind or a box, while a text stands beside the queries: where is it, is it there,
how many are there, which colour has its box. They make the queries carry what the text asks for; ITM and ITG say it. They are thrown away.

Run it again to resume. Losses and held-out accuracy go to <output>/refine.log, the checkpoint to <output>/model.
"""

import copy
import json
import random
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

import answers
import evaluate
import export
import model as models
import pool
import slots
import vocabulary as words
from answers import linear_fit, patches_shown
from mekiki_world.captions import lexicon, near_miss, partial_pair, relation_of, training_captions
from mekiki_world.scenes import COLOURS, CONTAINERS, KINDS, Scene, held_out_scenes
from optimizer import Optimizer
from probe_relations import right_first
from settings import from_flags
from train import generation_loss

PLAIN = len(slots.COLOUR_NAMES)  # the class of what has no box or plate
COUNTS = 6  # 0 is "not there"
READ_LAYERS = (1, 3)  # the Q-Former's layers whose text outputs say where things are
TRUTH_LAYERS = (2, 3)  # and those that say whether a relation or colour is true
TOLD = {"left", "right", "above", "below", "over", "under", "beneath", "higher", "top", "bottom"}  # words of relations
LOOK_STRENGTH = 20.0  # of a group's read-out (about 0 or 1) in attention scores, when training begins
NAME_FALL = 1.5  # of a name's score for each token between it and the beginning or the end
PLACE_STRENGTH = 8.0  # length of what a place adds to a query, whose length is about 14


@dataclass
class Settings:
    """Lengths, rates and weights. Fields are command-line flags."""

    output: str = "run"
    pool: str = "run/pool"
    model: str = "../embed/builtin/model"
    seed: int = 1
    minutes: float = 60.0  # of wall-clock time; the rate's schedule fits it
    batch: int = 64
    related: float = 0.6  # share of a batch whose scenes have two single things apart, or a box
    rare: float = 0.75  # share of near misses that are tried in a relation or colour first
    partial: float = 0.25  # share of ITM's pairs that name only some of what the picture holds
    keep_weight: float = 3.0  # of the distance to the parts and vectors of before
    matching_weight: float = 2.0
    read_weight: float = 1.0
    places: int = 1  # 1: a head of the first cross-attention begins as a look at where things are
    matrix_rate: float = 2e-3
    other_rate: float = 8e-4
    word_rate: float = 1e-4
    weight_decay: float = 0.02
    warmup: int = 30
    decay_share: float = 0.5
    threads: int = 1
    log_every: int = 20
    save_every: int = 100
    evaluate_every: int = 200


@lru_cache(maxsize=1)
def names() -> tuple[dict[tuple[str, ...], int], int]:
    """Every name of a kind in words as the tokenizer splits them, and the longest one's length."""
    split = {tuple(words.split_words(name)): kind for name, kind in lexicon().items()}
    return split, max(map(len, split))


def mentions(text: str) -> list[tuple[int, int | None]]:
    """(number of a name's last word, its kind) for every kind that a text names, and (number, None) for a box or plate; names as read_caption reads them."""
    said, found, i = words.split_words(text), [], 0
    table, longest = names()
    while i < len(said):
        if said[i] in CONTAINERS and i and said[i - 1] in COLOURS:
            found.append((i, None))
            i += 1
            continue
        for length in range(min(longest, len(said) - i), 0, -1):
            kind = table.get(tuple(said[i : i + length]))
            if kind is not None and not (length == 1 and said[i] in ("orange", "chicken") and said[i + 1 : i + 2] in (["sky"], ["egg"])):
                found.append((i + length - 1, kind))
                i += length
                break
        else:
            i += 1
    return found


class Reader:
    """Finds the tokens that name things, and what read-outs of them should say."""

    def __init__(self, tokenizer: words.Tokenizer):
        self.tokenizer = tokenizer
        self.named = lru_cache(maxsize=100000)(self.find)

    def find(self, text: str) -> list[tuple[int, int | None]]:
        """(token, kind) for each mention; tokens are counted from [CLS]."""
        ends, at = [], 0
        for word in words.split_words(text):
            at += len(self.tokenizer.word(word))
            ends.append(at)
        return [(ends[number], kind) for number, kind in mentions(text) if ends[number] < evaluate.LENGTH - 1]

    def told(self, text: str, colours: bool) -> list[int]:
        """The tokens of words of relations, or of the colours of boxes and plates."""
        said, at, found = words.split_words(text), 1, []
        for word, after in zip(said, [*said[1:], ""]):
            if (word in COLOURS and after in CONTAINERS) if colours else word in TOLD:
                found.append(at)
            at += len(self.tokenizer.word(word))
        return [token for token in found if token < evaluate.LENGTH - 1]

    def apart(self, rows: list[tuple[str, Scene]]) -> tuple[torch.Tensor, torch.Tensor]:
        """The tokens of words of relations between two names, [n,2], and how far the first named is from the second [n,2], where the pictures show both."""
        at, away = [], []
        for row, (text, scene) in enumerate(rows):
            groups, named = {g.kind: g for g in scene.groups}, self.named(text)
            for token in self.told(text, False):
                before = [groups.get(kind) for other, kind in named if other < token and kind is not None]
                after = [groups.get(kind) for other, kind in named if other > token and kind is not None]
                if before and after and before[-1] and after[0]:
                    at.append((row, token))
                    away.append((before[-1].x - after[0].x, before[-1].y - after[0].y))
        return torch.tensor(at).reshape(-1, 2), torch.tensor(away).reshape(-1, 2)

    def targets(self, rows: list[tuple[str, Scene]]) -> dict[str, torch.Tensor]:
        """For texts beside pictures: where the read tokens are [n,2], and for each its place, count and colour, and which of them are to be said."""
        at, places, counts, colours, placed = [], [], [], [], []
        for row, (text, scene) in enumerate(rows):
            groups = {g.kind: g for g in scene.groups}
            held = next((g for g in scene.groups if g.container), None)
            for token, kind in self.named(text):
                group = groups.get(kind) if kind is not None else held
                at.append((row, token))
                places.append((group.x, group.y) if group else (0.5, 0.5))
                counts.append(group.count if group else 0)
                colours.append(slots.COLOUR_NAMES.index(group.container[1]) if group and group.container else PLAIN)
                placed.append(bool(group))
        return {"at": torch.tensor(at).reshape(-1, 2), "places": torch.tensor(places).reshape(-1, 2), "counts": torch.tensor(counts), "colours": torch.tensor(colours), "placed": torch.tensor(placed, dtype=torch.bool)}


class ReadOuts(nn.Module):
    """Linear read-outs of tokens that name things."""

    def __init__(self, width: int):
        super().__init__()
        self.places, self.counts, self.colours = (nn.ModuleList(nn.Linear(width, n) for _ in READ_LAYERS) for n in (2, COUNTS, PLAIN + 1))
        self.apart = nn.Linear(width, 2)
        self.truth = nn.ModuleList(nn.Linear(width, 2) for _ in TRUTH_LAYERS)
        self.common = torch.ones(PLAIN + 1)
        self.common[PLAIN] = 0.1

    def loss(self, hidden: list[torch.Tensor], wanted: dict[str, torch.Tensor]) -> torch.Tensor:
        """The loss over every layer's text outputs [B,T,H]; how good the last one's read-outs are goes to self.right."""
        rows, columns = wanted["at"].unbind(1)
        placed, total = wanted["placed"], 0.0
        for layer, places, counts, colours in zip(READ_LAYERS, self.places, self.counts, self.colours):
            tokens = hidden[layer][rows, columns]
            place, count, colour = places(tokens).float(), counts(tokens).float(), colours(tokens).float()
            off = F.smooth_l1_loss(place[placed], wanted["places"][placed], beta=0.05)
            total = total + 6 * off + 0.3 * F.cross_entropy(count, wanted["counts"]) + 0.5 * F.cross_entropy(colour[placed], wanted["colours"][placed], self.common)
        in_box = placed & (wanted["colours"] != PLAIN)
        share = lambda hits: round(hits.float().mean().item(), 3) if len(hits) else 0.0
        self.right = {"off": (place[placed] - wanted["places"][placed]).abs().mean().item(), "counts": share(count.argmax(1) == wanted["counts"]), "colours": share(colour.argmax(1)[in_box] == wanted["colours"][in_box])}
        return total / len(READ_LAYERS)

    def apart_loss(self, hidden: list[torch.Tensor], at: torch.Tensor, away: torch.Tensor) -> tuple[torch.Tensor, float]:
        """The loss of saying between two names how far apart their things are, at the first of TRUTH_LAYERS; and how often the side is right."""
        if not len(at):
            return torch.zeros(()), 0.0
        rows, columns = at.unbind(1)
        guess = self.apart(hidden[TRUTH_LAYERS[0]][rows, columns]).float()
        along = away.abs().argmax(1, keepdim=True)
        return F.smooth_l1_loss(guess, away, beta=0.05), (guess.gather(1, along) * away.gather(1, along) > 0).float().mean().item()

    def truth_loss(self, hidden: list[torch.Tensor], at: torch.Tensor, true: torch.Tensor) -> tuple[torch.Tensor, float]:
        """The loss of saying of words of relations and colours, at [n,2], whether they are true; and how often the last layer is right."""
        if not len(at):
            return torch.zeros(()), 0.0
        rows, columns = at.unbind(1)
        logits = [head(hidden[layer][rows, columns]).float() for layer, head in zip(TRUTH_LAYERS, self.truth)]
        return sum(F.cross_entropy(l, true) for l in logits) / len(logits), (logits[-1].argmax(1) == true).float().mean().item()


@torch.no_grad()
def before_layer(model: models.SmallBlip2, number: int, image: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    """What comes to a layer of the Q-Former, not the first, in ITM's pass [B,Q+T,H]."""
    parts = []
    for start in range(0, len(ids), 200):
        model.match_logits(image[start : start + 200].float(), ids[start : start + 200], every := [])
        parts.append(every[number - 1])
    return torch.cat(parts)


def least_used(attention: nn.Module, out: nn.Module, tokens: torch.Tensor, number: int = 1) -> list[int]:
    """Where the heads of an attention begin that give the least, by how far their values of tokens [n,D] spread and how much of them goes out."""
    size = attention.attention_head_size
    use = ((tokens @ attention.value.weight.T).std(0) * out.weight.norm(dim=0)).view(-1, size).square().sum(1)
    return (size * use.topk(number, largest=False).indices).tolist()


@torch.no_grad()
def look_at_groups(model: models.SmallBlip2, image: torch.Tensor, scenes: list[Scene]) -> None:
    """Gives one head of the first cross-attention, the least used one, to places: there query i looks at the patches that show kinds of group i, as a
    linear read-out of the image tokens [N,1+P,D] finds them, and two of its values are the centre of a patch's thing.

    Behind the first stage every query tells of the whole picture, so that none says of one thing where it is.
    """
    tokens, kinds, thing, centres, own = patches_shown(image, scenes)
    places, _ = linear_fit(tokens, torch.where(thing[:, None], centres, own))
    queries = model.query_tokens.shape[1]
    groups = torch.where(thing, kinds // -(-len(KINDS) // queries), queries)
    found, _ = linear_fit(tokens, F.one_hot(groups, queries + 1)[:, :queries].float())
    layer = next(l for l in model.qformer.encoder.layer if l.has_cross_attention)
    attention, out = layer.crossattention.attention, layer.crossattention.output.dense
    size = attention.attention_head_size
    head = least_used(attention, out, tokens)[0]
    before = layer.attention(model.qformer.layernorm(model.query_tokens))[0]  # the queries as they come to this attention
    rows = slice(head, head + size)
    wanted = torch.zeros(queries, size)
    wanted[:, :queries] = LOOK_STRENGTH * size**0.5 * torch.eye(queries)
    attention.key.weight[rows] = 0
    attention.key.bias[rows] = 0
    attention.key.weight[head : head + queries] = found
    attention.query.weight[rows] = torch.linalg.lstsq(before, wanted).solution.T
    attention.query.bias[rows] = 0
    values = slice(head + size - 2, head + size)
    scale = 1 / (tokens[thing] @ places.T).std(0)
    attention.value.weight[values] = scale[:, None] * places
    attention.value.bias[values] = -scale * (tokens[thing] @ places.T).mean(0)
    taken = torch.linalg.qr(torch.cat([before, out.bias[None]]).T)[0]  # where the queries differ already
    free = torch.randn(len(out.weight), 2)
    out.weight[:, values] = PLACE_STRENGTH * torch.linalg.qr(free - taken @ (taken.T @ free))[0]


@torch.no_grad()
def ask_groups(model: models.SmallBlip2, reader: Reader, image: torch.Tensor, scenes: list[Scene]) -> None:
    """Gives one head of the self-attention after the first cross-attention to places as well: there a token that names a kind looks at the query of the
    kind's group (look_at_groups), and two of its values are where that query says that its thing is."""
    rng, queries = random.Random(2), model.query_tokens.shape[1]
    captions = [training_captions(scene, rng, 1)[0] for scene in scenes]
    ids = reader.tokenizer.batch(captions, evaluate.LENGTH)
    hidden = before_layer(model, 1, image, ids)
    of_queries, of_texts = hidden[:, :queries], hidden[:, queries:]
    group = -(-len(KINDS) // queries)
    named = torch.full(ids.shape, -1)
    for row, caption in enumerate(captions):
        for token, kind in reader.named(caption):
            if kind is not None:
                named[row, token] = kind // group
    texts, wanted = of_texts[ids != 0], named[ids != 0]
    asks = torch.zeros(len(texts), queries)
    asks[wanted >= 0] = F.one_hot(wanted[wanted >= 0], queries).float()
    owns = torch.eye(queries).repeat(len(scenes), 1)
    both = torch.cat([of_queries.flatten(0, 1), texts])
    none = lambda rows: torch.zeros(rows, queries)
    ask, ask_bias = linear_fit(both, torch.cat([none(len(owns)), asks]))
    own, own_bias = linear_fit(both, torch.cat([owns, none(len(texts))]))
    shown = [(i, g) for i, scene in enumerate(scenes) for g in scene.groups]
    saying, places = torch.stack([of_queries[i, g.kind // group] for i, g in shown]), torch.tensor([(g.x, g.y) for _, g in shown])
    place, place_bias = linear_fit(saying, places)
    attention, out = model.qformer.encoder.layer[1].attention.attention, model.qformer.encoder.layer[1].attention.output.dense
    size = attention.attention_head_size
    head = least_used(attention, out, both)[0]
    span, code, values = slice(head, head + size), slice(head, head + queries), slice(head + size - 2, head + size)
    strength = LOOK_STRENGTH * size**0.5
    for part, weight, bias in ((attention.query, strength * ask, strength * ask_bias), (attention.key, own, own_bias)):
        part.weight[span], part.bias[span] = 0, 0
        part.weight[code], part.bias[code] = weight, bias
    scale = 1 / places.std(0)
    attention.value.weight[values], attention.value.bias[values] = scale[:, None] * place, scale * (place_bias - places.mean(0))
    out.weight[:, values] = PLACE_STRENGTH * torch.linalg.qr(torch.randn(len(out.weight), 2))[0]


@torch.no_grad()
def compare_names(model: models.SmallBlip2, reader: Reader, image: torch.Tensor, scenes: list[Scene]) -> None:
    """Gives two heads of the third self-attention, the least used ones, to the names in a text: one looks at the first, one at the last, and what they
    bring is how far the first thing is from the last."""
    rng, queries = random.Random(4), model.query_tokens.shape[1]
    captions = [training_captions(scene, rng, 1)[0] for scene in scenes]
    ids = reader.tokenizer.batch(captions, evaluate.LENGTH)
    hidden = before_layer(model, 2, image, ids)
    named, rows, places = torch.zeros(hidden.shape[:2]), [], []
    for row, (caption, scene) in enumerate(zip(captions, scenes)):
        groups = {g.kind: g for g in scene.groups}
        for token, kind in reader.named(caption):
            if kind in groups:
                named[row, queries + token] = 1
                rows.append((row, queries + token))
                places.append((groups[kind].x, groups[kind].y))
    at = torch.tensor(rows)
    own, places = hidden[at[:, 0], at[:, 1]], torch.tensor(places)
    place, place_bias = linear_fit(own, places)
    seen = torch.cat([torch.ones(len(ids), queries, dtype=torch.bool), ids != 0], 1)
    tokens, is_name = hidden[seen], named[seen][:, None]
    position = torch.cat([torch.zeros(len(ids), queries), torch.arange(ids.shape[1]).expand(len(ids), -1).float()], 1)[seen][:, None]
    keys, key_bias = linear_fit(tokens, torch.cat([is_name, position], 1))
    attention, out = model.qformer.encoder.layer[2].attention.attention, model.qformer.encoder.layer[2].attention.output.dense
    size = attention.attention_head_size
    scale, directions = 1 / places.std(0), PLACE_STRENGTH * torch.linalg.qr(torch.randn(len(out.weight), 2))[0]
    for head, sign in zip(least_used(attention, out, tokens, 2), (1, -1)):
        span, code, values = slice(head, head + size), slice(head, head + 2), slice(head + size - 2, head + size)
        for part in (attention.query, attention.key):
            part.weight[span], part.bias[span] = 0, 0
        attention.key.weight[code], attention.key.bias[code] = keys, key_bias
        attention.query.bias[head] = LOOK_STRENGTH * size**0.5
        attention.query.bias[head + 1] = -sign * NAME_FALL * size**0.5  # the first name, or the last one
        attention.value.weight[values], attention.value.bias[values] = scale[:, None] * place, scale * (place_bias - places.mean(0))
        out.weight[:, values] = sign * directions


class Pictures(answers.Pictures):
    """Batches of pool pictures, of which those that show a relation or a box come more often than others."""

    def __init__(self, folder: Path, related: float):
        self.related, self.known, self.telling = related, 0, []
        super().__init__(folder, 10**9)

    def refresh(self) -> None:
        super().refresh()
        for s in range(self.known, len(self.shards)):
            self.telling += [(s, r) for r, scene in enumerate(pool.scenes_of(self.numbers[s])) if tells(scene)]
        self.known = len(self.shards)

    def row(self, rng: random.Random) -> tuple[int, int]:
        return rng.choice(self.telling) if rng.random() < self.related else super().row(rng)


def tells(scene: Scene) -> bool:
    """Whether a scene has two single things clearly beside or above each other, or a box or plate."""
    return any(g.container for g in scene.groups) or any(relation_of(a, b) for i, a in enumerate(scene.groups) for b in scene.groups[:i])


class Held:
    """Held-out pictures that are neither the gallery's nor validation's, as probe_relations measures them."""

    def __init__(self, model, number: int):
        taken = {s.key() for s in held_out_scenes("validation", 1, 600)}
        taken |= {s.key() for s in held_out_scenes("gallery", 1, 640, set(taken))}
        self.scenes = held_out_scenes("refine", 1, number, taken)
        self.tokens = torch.from_numpy(pool.image_tokens(model, self.scenes)).float()


def negatives(similarity: torch.Tensor, temperature: float) -> tuple[torch.Tensor, torch.Tensor]:
    """A hard other text for the first half of the pictures, and a hard other picture for the texts of the second half (sampled)."""
    weights = F.softmax(similarity / temperature, 1).fill_diagonal_(0) + 1e-6
    weights.fill_diagonal_(0)
    half = len(similarity) // 2
    return torch.multinomial(weights[:half], 1)[:, 0], torch.multinomial(weights.t()[half:], 1)[:, 0]


class Trainer:
    """One run: the model, what it was, the read-outs and the optimizer."""

    def __init__(self, settings: Settings):
        self.settings, self.folder = settings, Path(settings.output)
        torch.manual_seed(settings.seed)
        model, self.tokenizer = evaluate.load(Path(settings.model))
        self.held = Held(model, 600)
        self.pictures = Pictures(Path(settings.pool), settings.related)
        self.before = copy.deepcopy(model).bfloat16().requires_grad_(False)
        self.seen = model.cls.predictions.bias.detach() > -20
        self.reader = Reader(self.tokenizer)
        if settings.places:
            start = self.pictures.batch(random.Random(0), 3000)
            look_at_groups(model, *start)
            ask_groups(model, self.reader, *start)
            compare_names(model, self.reader, *start)
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(not name.startswith("vision_model.") and name != "temp")
        self.model, self.heads = model, ReadOuts(model.query_tokens.shape[-1])
        module = nn.ModuleDict({"model": model, "heads": self.heads}).bfloat16()
        self.optimizer = Optimizer(module, settings.matrix_rate, settings.other_rate, settings.word_rate, settings.weight_decay)
        self.optimizer.freeze_rows("model.embeddings.word_embeddings.weight", self.seen)
        self.strangers = words.strangers(self.tokenizer.vocabulary, self.before.embeddings.word_embeddings.weight, self.seen)
        self.rows = self.seen.nonzero()[:, 0]
        self.position = torch.zeros(len(self.seen), dtype=torch.int64)
        self.position[self.rows] = torch.arange(len(self.rows))
        self.step, self.began = 0, time.time()
        saved = self.folder / "refine.pt"
        if saved.exists():
            state = torch.load(saved)
            self.optimizer.load(state["optimizer"])
            self.step, self.began = state["step"], time.time() - state["spent"]
        self.log = open(self.folder / "refine.log", "a")

    def share(self) -> float:
        return (time.time() - self.began) / (60 * self.settings.minutes)

    def texts(self, scenes: list[Scene], rng: random.Random) -> tuple[list[str], list[str], list[str], list[str]]:
        """A caption of each scene; and for ITM a true text, a wrong one, empty where there is none, and what is wrong there."""
        settings, captions, right, wrong, edits = self.settings, [], [], [], []
        for scene in scenes:
            captions.append(training_captions(scene, rng, 1)[0])
            pair = partial_pair(scene, rng, self.strangers) if rng.random() < settings.partial else near_miss(scene, rng, rng.choice((0.3, 0.6, 1.0)), vague=0.02, rare=settings.rare)
            right.append(pair[0] if pair else captions[-1])
            wrong.append(pair[1] if pair else "")
            edits.append(pair[2] if pair and len(pair) > 2 else "")
        return captions, right, wrong, edits

    def told(self, right: list[str], wrong: list[str], edits: list[str], usable: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
        """The tokens of relations or colours that only one of a true and a wrong text can say, and which are true; rows as losses orders them."""
        at, true = [], []
        for place, i in enumerate(usable):
            if edits[i] in ("relation", "colour"):
                for row, text, label in ((i, right[i], 1), (len(right) + place, wrong[i], 0)):
                    found = self.reader.told(text, edits[i] == "colour")
                    at += [(row, token) for token in found]
                    true += [label] * len(found)
        return torch.tensor(at).reshape(-1, 2), torch.tensor(true, dtype=torch.int64)

    def losses(self) -> tuple[torch.Tensor, dict[str, float]]:
        """One batch's loss and its parts."""
        settings = self.settings
        rng = random.Random(f"refine:{settings.seed}:{self.step}")
        image, scenes = self.pictures.batch(rng, settings.batch)
        image = image.bfloat16()
        captions, right, wrong, edits = self.texts(scenes, rng)
        ids = self.tokenizer.batch(captions, evaluate.LENGTH)
        queries, text = self.model.queries_and_causal_text(image, ids, every := [])
        read_causal = [out[:, queries.shape[1] :] for out in every]
        parts, vectors = self.model.image_parts(queries), self.model.text_vectors(ids)
        with torch.no_grad():
            was = self.before.image_parts(self.before.attend(self.before.query_tokens.expand(len(image), -1, -1), None, image, queries.shape[1]))
            was_text = self.before.text_vectors(ids)
            similarity = torch.einsum("bqw,tw->btq", was, was_text).amax(-1)
        keep = (parts - was).square().sum(-1).mean() + (vectors - was_text).square().sum(-1).mean()
        itg = generation_loss(self.model, text, ids, self.rows, self.position)
        hard_text, hard_image = negatives(similarity, self.model.temp.float().item())
        half, usable = len(scenes) // 2, [i for i, text in enumerate(wrong) if text]
        images = [*range(len(scenes)), *usable, *range(half), *hard_image.tolist()]
        texts = [*right, *(wrong[i] for i in usable), *(captions[i] for i in hard_text.tolist()), *captions[half:]]
        labels = torch.zeros(len(images), dtype=torch.int64)
        labels[: len(scenes)] = 1
        logits = self.model.match_logits(image[images], self.tokenizer.batch(texts, evaluate.LENGTH), every := [])
        read_joint = [out[:, queries.shape[1] :] for out in every]
        itm = F.cross_entropy(logits, labels)
        reads = self.heads.loss(read_causal, self.reader.targets(list(zip(captions, scenes))))
        told = {f"{n}_alone": v for n, v in self.heads.right.items()}
        beside = list(zip(texts, (scenes[i] for i in images)))
        reads = 0.5 * reads + self.heads.loss(read_joint, self.reader.targets(beside))
        truth, told_right = self.heads.truth_loss(read_joint, *self.told(right, wrong, edits, usable))
        apart, sides_right = self.heads.apart_loss(read_joint, *self.reader.apart(beside))
        near = slice(len(scenes), len(scenes) + len(usable))
        values = {"itg": itg.item(), "itm": itm.item(), "keep": keep.item(), "read": reads.item(), "truth": truth.item(), "told_right": told_right, "apart": apart.item(), "sides_right": sides_right, "near_right": (logits[near].argmax(1) == 0).float().mean().item(), **self.heads.right, **told}
        return itg + settings.matching_weight * itm + settings.keep_weight * keep + settings.read_weight * (reads + truth + 6 * apart), values

    def run(self) -> None:
        settings, sums, counted = self.settings, {}, 0
        while self.share() < 1:
            if self.step % 50 == 0:
                self.pictures.refresh()
            loss, values = self.losses()
            loss.backward()
            share = self.share()
            norm = self.optimizer.step(min(1.0, (self.step + 1) / settings.warmup, max(0.02, (1 - share) / settings.decay_share)), clip=2.0)
            self.step += 1
            counted += 1
            for name, value in {**values, "norm": norm}.items():
                sums[name] = sums.get(name, 0.0) + value
            if self.step % settings.log_every == 0:
                line = {"step": self.step, "share": round(share, 3), "seconds": round(time.time() - self.began), **{n: round(v / counted, 3) for n, v in sums.items()}}
                sums, counted = {}, 0
                if self.step % settings.evaluate_every == 0:
                    line |= right_first(self.model, self.tokenizer, self.held)
                print(json.dumps(line), file=self.log, flush=True)
            if self.step % settings.save_every == 0:
                self.save()
        self.save()
        print(json.dumps({"end": True, **right_first(self.model, self.tokenizer, self.held)}), file=self.log, flush=True)

    def save(self) -> None:
        """Saves for resuming, and exports the model as it stands."""
        path = self.folder / "refine.pt"
        torch.save({"optimizer": self.optimizer.state(), "step": self.step, "spent": time.time() - self.began}, str(path) + ".new")
        Path(str(path) + ".new").rename(path)
        masters = {n.removeprefix("model."): m for n, m in self.optimizer.masters.items() if n.startswith("model.")}
        export.write(self.folder / "model", self.model, self.tokenizer.vocabulary, masters, self.seen)


def main() -> None:
    settings = from_flags(Settings, __doc__.split("\n")[0])
    torch.set_num_threads(settings.threads)
    Path(settings.output).mkdir(parents=True, exist_ok=True)
    Trainer(settings).run()


if __name__ == "__main__":
    main()
