"""Where the first stage loses relations ("left of") and the colours of boxes: probes of what its frozen parts hold, and a short training of ITM.

    python probe_relations.py --folder run/probe                     # draws the pictures, then looks
    python probe_relations.py --folder run/probe --match-minutes 10  # then trains ITM alone on near misses, for so much processor time

Pictures are of the training stream and, for measuring, of held-out combinations that are neither the gallery's nor validation's; three in
five of those that have room for one get a box or plate. A probe is a linear map (or one hidden layer) on frozen outputs, fitted on the
training pictures; its accuracy on held-out ones says whether what is asked for is there to be read.
"""

import argparse
import copy
import json
import random
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

import evaluate
import model as models
from answers import linear_fit
from mekiki_world.captions import near_miss, partial_pair, relation_of, training_captions
from mekiki_world.kinds import singular_of
from mekiki_world.render import patch_targets, render
from mekiki_world.scenes import COLOURS, KINDS, Scene, boxed, held_out_scenes, training_scene
from optimizer import Optimizer

FIRST = 5 * 10**8  # the first training scene
COLOUR_NAMES = list(COLOURS)
AXIS = {"left": (0, -1), "right": (0, 1), "above": (1, -1), "below": (1, 1)}
EDITS = ("relation", "colour", "count", "kind", "background", "extra")


def scenes_of(part: str, number: int) -> list[Scene]:
    """The scenes of "train" or "held-out"."""
    if part == "train":
        scenes = [training_scene(1, FIRST + i) for i in range(number)]
    else:
        taken = {s.key() for s in held_out_scenes("validation", 1, 600)}
        taken |= {s.key() for s in held_out_scenes("gallery", 1, 640, set(taken))}
        scenes = held_out_scenes("probe", 1, number, taken)
    rng = random.Random(f"boxes:{part}")
    return [boxed(s, rng) if rng.random() < 0.6 else s for s in scenes]


class Part:
    """Pictures of one part: scenes, image tokens [N,1+P,D], what every patch shows, and its thing's centre."""

    @torch.no_grad()
    def __init__(self, folder: Path, name: str, number: int, model):
        self.scenes, path = scenes_of(name, number), folder / f"{name}-{number}.npz"
        side = model.config.vision_config.image_size
        grid = side // model.config.vision_config.patch_size
        if not path.exists():
            tokens, labels, centres = [], [], []
            for start in range(0, number, 50):
                drawn = [render(s, side) for s in self.scenes[start : start + 50]]
                tokens.append(model.image_tokens(models.normalise(torch.from_numpy(np.stack([d[0] for d in drawn])))).half().numpy())
                shown = [patch_targets(s, d[1], grid) for s, d in zip(self.scenes[start : start + 50], drawn)]
                labels.append(np.stack([l for l, _ in shown]))
                centres.append(np.stack([c[:, :2] for _, c in shown]))
            np.savez(path, tokens=np.concatenate(tokens), labels=np.concatenate(labels), centres=np.concatenate(centres))
        stored = np.load(path)
        self.tokens = torch.from_numpy(stored["tokens"]).float()
        step = (torch.arange(grid) + 0.5) / grid
        self.own = torch.stack([step.repeat(grid), step.repeat_interleave(grid)], 1)
        self.labels = torch.from_numpy(stored["labels"]).clamp(max=len(KINDS))
        self.centres = torch.from_numpy(stored["centres"]) + self.own

    def pairs(self) -> list[tuple[int, object, object, str]]:
        """Scenes' single things a and b and where a clearly is, seen from b."""
        made = []
        for i, scene in enumerate(self.scenes):
            single = [g for g in scene.groups if g.count == 1]
            made += [(i, a, b, r) for a in single for b in single if a.kind < b.kind and (r := relation_of(a, b))]
        return made

    def boxes(self) -> list[tuple[int, object]]:
        """Scenes' groups in a box or on a plate."""
        return [(i, g) for i, s in enumerate(self.scenes) for g in s.groups if g.container]


def fit(inputs: torch.Tensor, wanted: torch.Tensor, classes: int, hidden: int = 0, steps: int = 400) -> nn.Module:
    """A classifier (classes > 0) or a regression, linear or with a hidden layer, on standardised inputs."""
    mean, deviation = inputs.mean(0), inputs.std(0) + 1e-3
    torch.manual_seed(1)
    last = classes or wanted.shape[1]
    net = nn.Sequential(nn.Linear(inputs.shape[1], hidden), nn.GELU(), nn.Linear(hidden, last)) if hidden else nn.Linear(inputs.shape[1], last)
    optimizer = torch.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=0.1)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = 3e-3 * (1 - step / steps)
        rows = torch.randint(len(inputs), (min(len(inputs), 512),))
        out = net((inputs[rows] - mean) / deviation)
        loss = F.cross_entropy(out, wanted[rows]) if classes else F.smooth_l1_loss(out, wanted[rows], beta=0.05)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return lambda x: net((x - mean) / deviation).detach()


def told_apart(places: dict[tuple[int, int], torch.Tensor], pairs) -> dict[str, list]:
    """From a place for each (scene, kind): how often the side is right where its opposite is offered, and of all four; and how far off places are."""
    opposite, four, off = [], [], []
    for i, a, b, relation in pairs:
        away = places[i, a.kind] - places[i, b.kind]
        axis, sign = AXIS[relation]
        opposite.append(bool(sign * away[axis] > 0))
        guess = max(AXIS, key=lambda r: AXIS[r][1] * away[AXIS[r][0]])
        four.append(guess == relation)
        off += [abs(places[i, g.kind] - torch.tensor([g.x, g.y])).mean().item() for g in (a, b)]
    return {"side or its opposite": evaluate.interval(opposite), "of four sides": evaluate.interval(four), "pairs": len(pairs), "place off by": round(sum(off) / len(off), 3)}


def of_pairs(pairs) -> list[tuple[int, object]]:
    """Every (scene, group) of pairs, once."""
    return list({(i, g.kind): (i, g) for i, a, b, _ in pairs for g in (a, b)}.values())


def vision(train: Part, held: Part) -> dict:
    """What a linear look at the image tokens says."""
    tokens = train.tokens[:, 1:].flatten(0, 1)
    kinds = fit(tokens, train.labels.flatten(), len(KINDS) + 1, steps=1500)
    thing = train.labels.flatten() < len(KINDS)
    weight, bias = linear_fit(tokens[thing], train.centres.flatten(0, 1)[thing])
    places, looks = {}, {}

    def look(part: Part, i: int, kind: int) -> torch.Tensor:
        return (2 * kinds(part.tokens[i, 1:])[:, kind]).softmax(0)

    for i, g in of_pairs(held.pairs()):
        where = held.tokens[i, 1:] @ weight.T + bias
        places[i, g.kind] = look(held, i, g.kind) @ where
    found = {}
    for name, pooled in (
        ("place given", lambda part, i, g: part.tokens[i, 1:][((part.own - torch.tensor([g.x, g.y])).abs() < 0.71 * g.size).all(1)].mean(0)),
        ("only the kind given", lambda part, i, g: look(part, i, g.kind) @ part.tokens[i, 1:]),
    ):
        found[f"colour, {name}"] = colours(train, held, pooled)
    return {"relations": told_apart(places, held.pairs()), **found}


def colours(train: Part, held: Part, features) -> dict[str, list]:
    """How well the colour of a box is read from features(part, scene, group): of eight, and against one other colour."""
    of = lambda part: (torch.stack([features(part, i, g) for i, g in part.boxes()]), torch.tensor([COLOUR_NAMES.index(g.container[1]) for _, g in part.boxes()]))
    (x, y), (held_x, held_y) = of(train), of(held)
    out = {}
    for name, hidden in (("linear", 0), ("one hidden layer", 128)):
        scores = fit(x, y, len(COLOURS), hidden)(held_x)
        true = scores.gather(1, held_y[:, None])
        against = ((true > scores).sum(1) / (len(COLOURS) - 1)).tolist()
        out[name] = {"of eight": evaluate.interval((scores.argmax(1) == held_y).tolist()), "or one other": evaluate.interval(against)}
    return out | {"boxes": len(held_y)}


@torch.no_grad()
def query_outputs(model, part: Part) -> torch.Tensor:
    """The queries' outputs alone, as ITC and ITG see them [N,Q,H]."""
    return torch.cat([model.attend(model.query_tokens.expand(len(t), -1, -1), None, t, model.query_tokens.shape[1]) for t in part.tokens.split(100)])


def queries(model, tokenizer, train: Part, held: Part) -> dict:
    """What the query that ITC finds for a kind's name says of its place and of its box, and what all queries together say of the box."""
    with torch.no_grad():
        names = torch.cat([model.text_vectors(tokenizer.batch([singular_of(k.name) for k in KINDS[i : i + 100]], evaluate.LENGTH)) for i in range(0, len(KINDS), 100)])
    outputs = {id(part): query_outputs(model, part) for part in (train, held)}

    @torch.no_grad()
    def best(part: Part, i: int, g) -> torch.Tensor:
        out = outputs[id(part)][i]
        which = (model.image_parts(out) @ names[g.kind]).argmax()
        return torch.cat([out[which], F.one_hot(which, len(out)).float()])

    known, wanted = of_pairs(train.pairs()), of_pairs(held.pairs())
    x, y = torch.stack([best(train, i, g) for i, g in known]), torch.tensor([[g.x, g.y] for _, g in known])
    held_x = torch.stack([best(held, i, g) for i, g in wanted])
    out = {}
    for name, hidden in (("linear", 0), ("one hidden layer", 128)):
        guess = fit(x, y, 0, hidden, 1000)(held_x)
        out[f"relations, {name}"] = told_apart({(i, g.kind): p for (i, g), p in zip(wanted, guess)}, held.pairs())
    out["colour, the kind's query"] = colours(train, held, best)
    out["colour, all queries"] = colours(train, held, lambda part, i, g: outputs[id(part)][i].flatten())
    return out


def misses(part: Part, edit: str, seed: int, most: int = 10**9) -> list[tuple[int, str, str]]:
    """(scene, true caption, the caption wrong in one thing) of one sort of near miss."""
    rng, made = random.Random(f"{seed}:{edit}"), []
    for i, scene in enumerate(part.scenes):
        for _ in range(12):
            pair = near_miss(scene, rng, rng.choice((0.3, 0.6, 1.0)), rare=0.8 if edit in ("relation", "colour") else 0.0)
            if pair and pair[2] == edit:
                made.append((i, pair[0], pair[1]))
                break
        if len(made) == most:
            break
    return made


@torch.no_grad()
def joint(model, tokenizer, part: Part, rows: list[int], texts: list[str]) -> torch.Tensor:
    """ITM's query outputs for pictures and texts [N,Q,H]."""
    out, number = [], model.query_tokens.shape[1]
    kind = model.query_tokens.dtype
    for start in range(0, len(rows), 100):
        ids = tokenizer.batch(texts[start : start + 100], evaluate.LENGTH)
        model.match_logits(part.tokens[rows[start : start + 100]].to(kind), ids, every := [])
        out.append(every[-1][:, :number].float())
    return torch.cat(out)


def right_first(model, tokenizer, held: Part) -> dict[str, list]:
    """How often ITM prefers the true caption, by sort of near miss."""
    out = {}
    for edit in EDITS:
        pairs = misses(held, edit, 1, 400)
        rows = [i for i, _, _ in pairs]
        score = lambda texts: F.linear(joint(model, tokenizer, held, rows, texts), model.itm_head.weight.float(), model.itm_head.bias.float()).mean(1).diff(dim=1)[:, 0]
        out[edit] = [*evaluate.interval((score([r for _, r, _ in pairs]) > score([w for _, _, w in pairs])).tolist()), len(pairs)]
    return out


def matching(model, tokenizer, train: Part, held: Part) -> dict:
    """Whether ITM's own pass, the text beside the queries, holds what its head does not say: new heads on its frozen outputs."""
    out = {"the head as it is": right_first(model, tokenizer, held)}
    for edit in ("relation", "colour"):
        features = {}
        for part in (train, held):
            pairs = misses(part, edit, 1)
            rows = [i for i, _, _ in pairs]
            features[id(part)] = [joint(model, tokenizer, part, rows, [p[n] for p in pairs]).flatten(1) for n in (1, 2)]
        (true, false), (held_true, held_false) = features[id(train)], features[id(held)]
        x, y = torch.cat([true, false]), torch.cat([torch.ones(len(true)), torch.zeros(len(false))]).long()
        for name, hidden in (("linear head on all queries", 0), ("one hidden layer on all queries", 128)):
            net = fit(x, y, 2, hidden)
            right = (net(held_true).diff(dim=1) > net(held_false).diff(dim=1))[:, 0]
            out[f"{edit}, {name}"] = [*evaluate.interval(right.tolist()), len(right)]
    return out


def batch_of(train: Part, rng: random.Random, number: int) -> list[tuple[int, str, str]]:
    """Near misses for training: half of them in relation or colour."""
    made = []
    while len(made) < number:
        i = rng.randrange(len(train.scenes))
        if rng.random() < 0.2:
            pair = partial_pair(train.scenes[i], rng)
        else:
            pair = near_miss(train.scenes[i], rng, rng.choice((0.3, 0.6, 1.0)), vague=0.02, rare=0.75)
        if pair and pair[1]:
            made.append((i, pair[0], pair[1]))
    return made


@torch.no_grad()
def retrieval(model, tokenizer, held: Part) -> float:
    """R@1 of ITC, a caption to its picture, among the held-out pictures."""
    rng = random.Random(9)
    texts = [training_captions(s, rng, 1)[0] for s in held.scenes]
    parts = model.image_parts(query_outputs(model, held))
    vectors = torch.cat([model.text_vectors(tokenizer.batch(texts[i : i + 100], evaluate.LENGTH)) for i in range(0, len(texts), 100)])
    similarity = torch.einsum("iqw,tw->itq", parts, vectors).amax(-1)
    return round(100 * (similarity.argmax(0) == torch.arange(len(texts))).float().mean().item(), 1)


def train_matching(model, tokenizer, train: Part, held: Part, minutes: float, rate: float, log: Path) -> None:
    """Trains the Q-Former and ITM's head on near misses; what ITC and ITG read is held near what it was."""
    before = copy.deepcopy(model)
    shared = {n: p for n, p in model.named_parameters() if n.startswith(("qformer.", "query_tokens", "itm_head."))}
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name in shared)
    optimizer = Optimizer(model, rate, rate / 4, 0, 0.0, dtype=torch.float32)
    began, step = time.process_time(), 0
    rng, sums = random.Random(1), [0.0, 0.0, 0.0]
    with open(log, "a") as out:
        print(json.dumps({"minutes": 0, "R@1": retrieval(model, tokenizer, held), **right_first(model, tokenizer, held)}), file=out, flush=True)
        spent, said = 0.0, 0
        while spent < minutes:
            pairs = batch_of(train, rng, 32)
            image = train.tokens[[i for i, _, _ in pairs]]
            ids = tokenizer.batch([r for _, r, _ in pairs] + [w for _, _, w in pairs], evaluate.LENGTH)
            logits = model.match_logits(image.repeat(2, 1, 1), ids)
            labels = torch.cat([torch.ones(32), torch.zeros(32)]).long()
            few, own = image[:8], ids[:8]
            now, was = [], []
            for made, side in ((now, model), (was, before)):
                made += [*side.queries_and_causal_text(few, own), side.text_vectors(own)]
            keep = sum((a - b.detach()).square().mean() * w for a, b, w in zip(now, was, (10.0, 10.0, 1000.0)))
            loss = F.cross_entropy(logits, labels) + keep
            loss.backward()
            share = spent / minutes
            optimizer.step(min(1.0, (step + 1) / 20, max(0.02, 2 * (1 - share))), clip=2.0)
            step += 1
            sums = [a + b for a, b in zip(sums, (loss.item() - keep.item(), keep.item(), (logits.argmax(1) == labels).float().mean().item()))]
            spent = (time.process_time() - began) / 60
            if step % 20 == 0:
                line = {"minutes": round(spent, 2), "step": step, **dict(zip(("loss", "keep", "right"), (round(s / 20, 3) for s in sums)))}
                sums = [0.0, 0.0, 0.0]
                if spent - said > minutes / 5:
                    model.eval()
                    said = spent
                    line |= right_first(model, tokenizer, held)
                print(json.dumps(line), file=out, flush=True)
        print(json.dumps({"minutes": round(spent, 2), "step": step, "end": True, "R@1": retrieval(model, tokenizer, held), **right_first(model, tokenizer, held)}), file=out, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", type=Path, default=Path("../embed/builtin/model"), help="the first stage's checkpoint folder")
    parser.add_argument("--folder", type=Path, required=True, help="keeps the image tokens and the log")
    parser.add_argument("--number", type=int, default=2000, help="training pictures; a third as many are held out")
    parser.add_argument("--match-minutes", type=float, default=0.0, help="of processor time that ITM is trained for")
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    given.folder.mkdir(parents=True, exist_ok=True)
    model, tokenizer = evaluate.load(given.model)
    train, held = (Part(given.folder, name, number, model) for name, number in (("train", given.number), ("held-out", given.number // 3)))
    if given.match_minutes:
        train_matching(model, tokenizer, train, held, given.match_minutes, given.rate, given.folder / "match.log")
        return
    for name, look in (("image tokens", lambda: vision(train, held)), ("queries", lambda: queries(model, tokenizer, train, held)), ("matching", lambda: matching(model, tokenizer, train, held))):
        print(name)
        for probe, figures in look().items():
            print("  ", probe, json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
