"""Measures the captions of a library of drawn pictures: which kinds they name, and whether words alone find pictures by them.

Usage:
    python gallery.py --folder hard --number 600 --hard
    copy hard/images to a folder whose files are numbered in the order of their names (0001.webp ...), since names say what a picture shows
    mekiki index NUMBERED --library L --captions lm,1 --caption-samples 3; mekiki export --library L > captions.jsonl
    python evaluate_captions.py hard captions.jsonl

Prints, for the captions that were kept and for all pictures, precision, recall and F1 of the kinds that are named against those that are drawn, and
how often the picture is first when one of its generator's captions is looked for by BM25 in the captions.
"""

import collections
import json
import math
import random
import re
import sys
from pathlib import Path

IRREGULAR = {"mouse": "mice", "goose": "geese", "cactus": "cacti", "man": "men", "woman": "women"}


def plurals(word: str) -> set[str]:
    found = {word, word + "s", word + "es", IRREGULAR.get(word, word)}
    if word.endswith("y"):
        found.add(word[:-1] + "ies")
    if word.endswith("f"):
        found.add(word[:-1] + "ves")
    if word.endswith("fe"):
        found.add(word[:-2] + "ves")
    return found


def pattern(kind: str) -> re.Pattern:
    head, *rest = kind.split(" of ", 1)
    *before, last = head.split()
    forms = {" of ".join([" ".join([*before, form]), *rest]) for form in plurals(last)}
    return re.compile(r"\b(" + "|".join(map(re.escape, sorted(forms, key=len, reverse=True))) + r")\b")


def named(text: str, patterns: list) -> set[str]:
    """The kinds in a text, the longest names first, so that an orange book is no orange."""
    text, found = text.lower(), set()
    for kind, words in patterns:
        if words.search(text):
            found.add(kind)
            text = words.sub(" ", text)
    return found


def quality(pairs) -> str:
    right = extra = missing = 0
    for got, want in pairs:
        right, extra, missing = right + len(got & want), extra + len(got - want), missing + len(want - got)
    precision, recall = right / max(1, right + extra), right / max(1, right + missing)
    return f"P {100 * precision:.1f} R {100 * recall:.1f} F1 {200 * precision * recall / max(1e-9, precision + recall):.1f}"


def words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower())


def searcher(texts: dict[str, str]):
    """BM25 (k1 1.2, b 0.75): gives the best text's name, or None."""
    documents = {name: words(text) for name, text in texts.items()}
    average = sum(map(len, documents.values())) / max(1, len(documents))
    postings = collections.defaultdict(list)
    for name, document in documents.items():
        for word, count in collections.Counter(document).items():
            postings[word].append((name, count, len(document)))

    def search(query: str):
        scores = collections.Counter()
        for word in set(words(query)):
            holding = postings.get(word, ())
            weight = math.log(1 + (len(documents) - len(holding) + 0.5) / (len(holding) + 0.5))
            for name, count, length in holding:
                scores[name] += weight * count * 2.2 / (count + 1.2 * (0.25 + 0.75 * length / average))
        return scores.most_common(1)[0][0] if scores else None

    return search


def main(folder: Path, exports: list[str]) -> None:
    truth = json.loads((folder / "truth.json").read_text())
    annotations = json.loads((folder / "annotations.json").read_text())
    own = {image["filename"]: [sentence["raw"] for sentence in image["sentences"]] for image in annotations["images"]}
    order = sorted(path.name for path in (folder / "images").iterdir())
    patterns = [(kind, pattern(kind)) for kind in sorted({t["kind"] for v in truth.values() for t in v["things"]}, key=len, reverse=True)]
    drawn = {name: {thing["kind"] for thing in picture["things"]} for name, picture in truth.items()}
    chance = random.Random(7)
    queries = [(name, chance.choice(own[name])) for name in sorted(own)]
    print("the generator's own captions:", quality((named(own[name][0], patterns), drawn[name]) for name in own))
    for export in exports:
        texts = {}
        for line in Path(export).read_text().splitlines():
            record = json.loads(line)
            if record["kind"] == "image":
                texts[order[int(Path(record["paths"][0]).stem) - 1]] = " ".join(c["text"] for c in record.get("captions", []))
        kept = {name: text for name, text in texts.items() if text}
        search = searcher(kept)
        first = [(name, query, search(query)) for name, query in queries]
        hits = sum(best == name or best is not None and query in own[best] for name, query, best in first)
        print(f"{export}: {len(kept)} of {len(texts)} pictures have captions; of these {quality((named(t, patterns), drawn[n]) for n, t in kept.items())}; "
              f"of all {quality((named(t, patterns), drawn[n]) for n, t in texts.items())}; R@1 by words {100 * hits / len(first):.1f}")


main(Path(sys.argv[1]), sys.argv[2:])
