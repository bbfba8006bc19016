"""Measures a checkpoint folder on a gallery folder, from the files alone, in float32.

    python evaluate.py --model ../embed/builtin/model --gallery ../embed/builtin/gallery --split test
    python evaluate.py ... --split val --thresholds thresholds.json --calibrate     # writes the thresholds
    python evaluate.py ... --split test --thresholds thresholds.json                # applies them

The thresholds here are of the bare ITM probability; the search engine calibrates its own, in calibration.json.

Intervals are 95 % bootstrap intervals over images (or queries), 1,000 resamples.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file
from transformers import Blip2Config

import export
import model as models
from mekiki_world.captions import read_caption
from mekiki_world.scenes import KINDS
from vocabulary import Tokenizer

LENGTH = 40


def load(folder: Path) -> tuple[models.SmallBlip2, Tokenizer]:
    """The checkpoint in float32 with its tokenizer."""
    config = Blip2Config(**{k: v for k, v in json.loads((folder / "config.json").read_text()).items() if k not in ("architectures", "torch_dtype", "model_type")})
    config._attn_implementation = "eager"
    config.vision_config._attn_implementation = config.qformer_config._attn_implementation = "eager"
    model = models.SmallBlip2(config).eval()
    missing, unexpected = model.load_state_dict({n: t.float() for n, t in load_file(folder / "model.safetensors").items()}, strict=False)
    left = [n for n in missing if not n.endswith("position_ids")]
    if left or unexpected:
        raise ValueError(f"{folder}: missing {left}, unexpected {unexpected}")
    return model, Tokenizer((folder / "vocab.txt").read_text(encoding="utf-8").splitlines())


def pixels(paths: list[Path], side: int) -> torch.Tensor:
    """Files to [B,3,S,S], resized as Pillow's bicubic does."""
    return models.normalise(torch.from_numpy(np.stack([np.asarray(Image.open(p).convert("RGB").resize((side, side), Image.BICUBIC)) for p in paths])))


def interval(values, rng=np.random.default_rng(0)) -> list[float]:
    """Mean and 95 % bootstrap interval, in percent."""
    values = np.asarray(values, float)
    means = values[rng.integers(0, len(values), (1000, len(values)))].mean(1)
    return [round(100 * x, 1) for x in (values.mean(), *np.percentile(means, (2.5, 97.5)))]


@torch.no_grad()
def captions_of(model, tokenizer, tokens, limit=30) -> list[str]:
    """Greedy captions."""
    ids = torch.full((len(tokens), 1), tokenizer.cls)
    done = torch.zeros(len(tokens), dtype=torch.bool)
    for _ in range(limit):
        _, text = model.queries_and_causal_text(tokens, ids)
        following = model.vocabulary_logits(text[:, -1]).argmax(-1)
        following[done] = 0
        done |= following == tokenizer.sep
        ids = torch.cat([ids, following[:, None]], 1)
        if done.all():
            break
    return [tokenizer.decode([i for i in row.tolist() if i]) for row in ids]


class Evaluation:
    """One checkpoint on one split of one gallery."""

    def __init__(self, model_folder: Path, gallery: Path, split: str, candidates: int):
        self.model, self.tokenizer = load(model_folder)
        self.gallery, self.split, self.candidates = gallery, split, candidates
        annotated = json.loads((gallery / "annotations.json").read_text())["images"]
        self.images = [i for i in annotated if split in ("all", i["split"])]
        self.names = [i["filename"] for i in self.images]
        self.texts = [s["raw"] for i in self.images for s in i["sentences"]]
        self.owner = torch.tensor([n for n, i in enumerate(self.images) for _ in i["sentences"]])
        side = self.model.config.vision_config.image_size
        with torch.no_grad():
            tokens = [self.model.image_tokens(pixels([gallery / "images" / n for n in self.names[i : i + 64]], side)) for i in range(0, len(self.names), 64)]
            self.tokens = torch.cat(tokens)
            queries = self.model.query_tokens.expand(len(self.tokens), -1, -1)
            self.parts = torch.cat([self.model.image_parts(self.model.attend(q, None, t, q.shape[1])) for q, t in zip(queries.split(64), self.tokens.split(64))])

    @torch.no_grad()
    def itc(self, texts: list[str]) -> torch.Tensor:
        """Similarities [images, texts]."""
        vectors = torch.cat([self.model.text_vectors(self.tokenizer.batch(texts[i : i + 256], LENGTH)) for i in range(0, len(texts), 256)])
        return torch.einsum("iqw,tw->itq", self.parts, vectors).amax(-1)

    @torch.no_grad()
    def itm(self, rows: torch.Tensor, texts: list[str]) -> torch.Tensor:
        """ITM logits [n,2] of image rows[n] with texts[n]."""
        out = [self.model.match_logits(self.tokens[rows[i : i + 256]], self.tokenizer.batch(texts[i : i + 256], LENGTH)) for i in range(0, len(texts), 256)]
        return torch.cat(out)

    def reranked(self, similarity: torch.Tensor, texts: list[str], by: str) -> torch.Tensor:
        """ITC + ITM logit for the best candidates of each text (by="text") or image; -100 elsewhere."""
        scores = torch.full_like(similarity, -100.0)
        number = min(self.candidates, similarity.shape[0 if by == "text" else 1])
        if by == "text":
            best = similarity.topk(number, 0).indices
            columns = torch.arange(similarity.shape[1]).expand(number, -1)
            rows, columns = best.flatten(), columns.flatten()
        else:
            best = similarity.topk(number, 1).indices
            rows = torch.arange(similarity.shape[0])[:, None].expand(-1, number).flatten()
            columns = best.flatten()
        logits = self.itm(rows, [texts[c] for c in columns.tolist()])
        scores[rows, columns] = logits[:, 1] + similarity[rows, columns]
        return scores

    def recalls(self, scores: torch.Tensor, by: str) -> dict:
        """R@1/5/10 with intervals over images."""
        if by == "text":
            ranks = (scores > scores[self.owner, torch.arange(len(self.owner))]).sum(0)
            per_image = lambda k: [(ranks[self.owner == i] < k).float().mean().item() for i in range(len(self.images))]
        else:
            own = torch.stack([scores[i, self.owner == i].max() for i in range(len(self.images))])
            ranks = (scores > own[:, None]).sum(1)
            per_image = lambda k: (ranks < k).float().tolist()
        return {f"R@{k}": interval(per_image(k)) for k in (1, 5, 10)}

    def retrieval(self) -> dict:
        similarity = self.itc(self.texts)
        result = {}
        for by, name in (("text", "text_to_image"), ("image", "image_to_text")):
            result[name] = {"itc": self.recalls(similarity, by), "itc_itm": self.recalls(self.reranked(similarity, self.texts, by), by)}
        return result

    def queries(self, name: str) -> list[dict]:
        return [q for q in json.loads((self.gallery / "queries" / f"{name}.json").read_text()) if self.split in ("all", q["split"])]

    def caption_quality(self, show: int = 0) -> dict:
        truth = json.loads((self.gallery / "truth.json").read_text())
        index = {k.name: k.index for k in KINDS}
        hits = named = present = 0
        f1, counts = [], []
        for start in range(0, len(self.names), 64):
            texts = captions_of(self.model, self.tokenizer, self.tokens[start : start + 64])
            for name, text in zip(self.names[start : start + 64], texts):
                want = {index[t["kind"]]: t["count"] for t in truth[name]["things"]}
                got = read_caption(text)
                both = [k for k in want if k in got]
                hits, named, present = hits + len(both), named + len(got), present + len(want)
                f1.append(2 * len(both) / max(1, len(want) + len(got)))
                counts += [float(got[k] == want[k]) for k in both]
                if show:
                    show -= 1
                    print(name, "|", text)
        precision, coverage = hits / max(1, named), hits / present
        return {"object_f1_micro": round(200 * precision * coverage / max(1e-9, precision + coverage), 1), "object_f1_by_image": interval(f1), "count_right_of_named": interval(counts)}

    def near_misses(self) -> dict:
        pairs = [p for p in self.queries("near_misses")]
        rows = torch.tensor([self.names.index(p["image"]) for p in pairs])
        better = (self.itm(rows, [p["right"] for p in pairs])[:, 1] > self.itm(rows, [p["wrong"] for p in pairs])[:, 1]).float().numpy()
        edits = sorted({p["edit"] for p in pairs})
        return {"all": interval(better), **{e: interval([b for b, p in zip(better, pairs) if p["edit"] == e]) for e in edits}}

    def free_phrasing(self) -> dict:
        wanted = self.queries("free_phrasing")
        texts = [q["query"] for q in wanted]
        similarity = self.itc(texts)
        result = {"queries": len(texts)}
        target = torch.tensor([self.names.index(q["images"][0]) for q in wanted])
        for name, scores in (("itc", similarity), ("itc_itm", self.reranked(similarity, texts, "text"))):
            ranks = (scores > scores[target, torch.arange(len(texts))]).sum(0)
            result[name] = {f"R@{k}": interval((ranks < k).float().tolist()) for k in (1, 5, 10)}
        return result

    def best_probability(self, texts: list[str]) -> np.ndarray:
        """For each text, the highest ITM probability among its best candidates by ITC."""
        number = min(self.candidates, len(self.names))
        best = self.itc(texts).topk(number, 0).indices
        logits = self.itm(best.t().flatten(), [t for t in texts for _ in range(number)])
        return logits.softmax(1)[:, 1].view(len(texts), number).amax(1).numpy()

    def judgement(self, calibration: dict | None) -> tuple[dict, dict]:
        """How nonsense and absent things score beside true captions; thresholds are chosen here unless given."""
        nothing = self.best_probability([q["query"] for q in self.queries("no_match")])
        true = self.best_probability(self.texts[::5] + self.texts[2::5] + self.texts[4::5])
        if calibration is None:
            strong = float(np.quantile(nothing, 0.97))
            strong = min(max(strong, 0.5), 0.995)
            weak = float(min(np.quantile(nothing, 0.75), np.quantile(true, 0.03), strong / 2))
            calibration = {"strong": round(strong, 4), "weak": round(max(weak, 0.01), 4), "source": "97th percentile of the ITM probability of the gallery's val queries that nothing answers"}
        return calibration, {
            "no_match_strong": interval(nothing >= calibration["strong"]), "no_match_weak_or_better": interval(nothing >= calibration["weak"]),
            "true_strong": interval(true >= calibration["strong"]), "true_weak_or_better": interval(true >= calibration["weak"]),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--gallery", type=Path, required=True)
    parser.add_argument("--split", choices=("val", "test", "all"), default="test")
    parser.add_argument("--candidates", type=int, default=32)
    parser.add_argument("--thresholds", type=Path, default=Path("thresholds.json"), help="strong and weak, of the ITM probability")
    parser.add_argument("--calibrate", action="store_true", help="choose the thresholds on this split and write them")
    parser.add_argument("--show", type=int, default=0, help="print this many captions")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", nargs="*", default=None)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    evaluation = Evaluation(given.model, given.gallery, given.split, given.candidates)
    path = given.thresholds
    calibration = None if given.calibrate or not path.exists() else json.loads(path.read_text())
    calibration, judged = evaluation.judgement(calibration)
    if given.calibrate:
        export.dump(path, calibration)
    result = {"split": given.split, "images": len(evaluation.images), "candidates": given.candidates, "judgement": judged, "calibration": calibration}
    for name, measure in (("retrieval", evaluation.retrieval), ("captions", lambda: evaluation.caption_quality(given.show)), ("near_misses", evaluation.near_misses), ("free_phrasing", evaluation.free_phrasing)):
        if given.only is None or name in given.only:
            result[name] = measure()
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
