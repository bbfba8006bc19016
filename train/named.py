"""Which slots the words of a question name: what a layer of the language model is taught to look at.

Left alone, the language model found the slot of a kind badly: it answered "how many castles are there?" with the number of parrots, and
"is there a castle?" by chance. While it learns from text, the last token of every name in a question is told where to look: at the slots that
hold what it names, or where there is none at the text's first token. The token before an answer is told to look at the question's first name
and its last: without, 88 % of absent kinds were seen to be absent at their name, and "yes" was answered all the same.
"""

import torch
from torch.nn import functional as F

import language
import slots
from mekiki_world.backgrounds import NAMES as BACKGROUNDS
from mekiki_world.kinds import plural_of
from mekiki_world.questions import CLASS_WORDS, is_of_class, where
from mekiki_world.scenes import CONTAINERS, KINDS

FINDS, FINDS_HEADS = 2, (0, 1)  # the layer and the heads that look from a name to its slot; layers before put the tokens of a name together
READS, READS_HEADS = 3, (4, 5)  # those that look from where the answer begins to the question's first name and to its last


def phrases() -> dict[str, list[tuple[str, int]]]:
    """What may be named, and by which values of which label: kinds, classes of kinds, backgrounds, and boxes and plates."""
    found: dict[str, set[tuple[str, int]]] = {}
    name = lambda phrase, label, values: found.setdefault(phrase, set()).update((label, v) for v in values)
    for kind in KINDS:
        for word in (kind.name, *kind.synonyms):
            name(word, "groups", [kind.index])
            name(plural_of(word), "groups", [kind.index])
    for word in CLASS_WORDS:
        members = [k.index for k in KINDS if is_of_class(k.index, word)]
        name(word, "groups", members)
        name(plural_of(word), "groups", members)
    for index, background in enumerate(BACKGROUNDS):
        name(where(background), "background", [index])
    for index, word in enumerate(CONTAINERS):
        colours = len(slots.COLOUR_NAMES)
        name(word, "container", range(1 + index * colours, 1 + (index + 1) * colours))
    return {phrase: sorted(values) for phrase, values in found.items()}


FIRST_SLOT = {"background": 0, "groups": slots.FIRST_GROUP, "container": slots.CONTAINER}


class Names:
    """Finds names among the tokens of texts."""

    def __init__(self, tokenizer):
        self.longest, self.meanings = 0, {}
        for phrase, values in phrases().items():
            ids = tuple(tokenizer.encode(" " + phrase, add_special_tokens=False).ids)
            self.longest = max(self.longest, len(ids))
            self.meanings[ids] = values
        self.goes_on = [token.isalpha() and not token.startswith("Ġ") for token in (tokenizer.id_to_token(i) or "" for i in range(tokenizer.get_vocab_size()))]

    def named(self, ids: list[int], learned: list[bool]) -> list[tuple[int, list[tuple[str, int]]]]:
        """Of the words that are given and not learned: the last token of every name, and what it means. A longer name goes before a shorter one in it."""
        found, at = [], 0
        while at < len(ids):
            for length in range(min(self.longest, len(ids) - at), 0, -1):
                end = at + length
                meaning = self.meanings.get(tuple(ids[at:end]))
                if meaning and not learned[end - 1] and not (end < len(ids) and self.goes_on[ids[end]]):
                    found.append((end - 1, meaning))
                    at = end - 1
                    break
            at += 1
        return found

    def points(self, rows: list[tuple[list, list]], scenes: list[dict[str, list]], batch: dict) -> dict[int, tuple]:
        """What layers are taught: rows and tokens [M] of a packed batch, and where each head looks from there [M, heads, prefix + W], of sum 1.

        rows are the texts that Texts.pack packed, scenes their labels.
        """
        finds, reads = Points(batch), Points(batch)
        for (seen, _), labels, places in zip(rows, scenes, batch["places"]):
            for (ids, learned), (bin_, start) in zip(seen, places):
                names = self.named(ids, learned)
                for end, meaning in names:
                    slots_of = [FIRST_SLOT[label] + i for label, value in meaning for i, v in enumerate(labels[label]) if v == value]
                    finds.add(bin_, start + end, [slots_of or [slots.SLOTS + start]] * 2)
                for before, after in questions_of(learned):
                    ends = [end for end, _ in names if before <= end <= after]
                    if ends:
                        reads.add(bin_, start + after, [[slots.SLOTS + start + ends[0]], [slots.SLOTS + start + ends[-1]]])
        return {FINDS: finds.tensors(), READS: reads.tensors()}


class Points:
    """Tokens of a batch and where heads look from there."""

    def __init__(self, batch: dict):
        self.keys = slots.SLOTS + batch["ids"].shape[1]
        self.bins, self.tokens, self.targets = [], [], []

    def add(self, bin_: int, token: int, looks: list[list[int]]) -> None:
        """One token; looks names the keys for each head, which counts them alike."""
        target = torch.zeros(len(looks), self.keys)
        for row, keys in zip(target, looks):
            row[keys] = 1 / len(keys)
        self.bins.append(bin_)
        self.tokens.append(token)
        self.targets.append(target)

    def tensors(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        return torch.tensor(self.bins), torch.tensor(self.tokens), torch.stack(self.targets)


def questions_of(learned: list[bool]) -> list[tuple[int, int]]:
    """The first and the last token of each stretch that is given, up to where an answer begins."""
    found, first = [], 0
    for i, (here, following) in enumerate(zip(learned, [*learned[1:], True])):
        if not here and following:
            found.append((first, i))
        if here:
            first = i + 1
    return found


def losses(looks: dict[int, torch.Tensor], points: dict[int, tuple]) -> tuple[torch.Tensor, list[float]]:
    """Cross-entropy of where the taught heads look, scores [M, heads, keys], and the shares that look right most of all."""
    total, found = torch.zeros(()), []
    for layer, heads in ((FINDS, FINDS_HEADS), (READS, READS_HEADS)):
        scores, targets = looks[layer][:, heads].float(), points[layer][2]
        right = targets.gather(2, scores.argmax(-1, keepdim=True)) > 0
        found.append(right.float().mean().item())
        total = total + F.cross_entropy(scores.flatten(0, 1), targets.flatten(0, 1))
    return total, found
