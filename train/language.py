"""The small language model of the second stage: its tokenizer, its layers under transformers' names, and what it is trained on as text."""

import random
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from torch import nn
from torch.nn import functional as F
from transformers import LlamaConfig

from mekiki_world.captions import training_captions
from mekiki_world.kinds import plural_of
from mekiki_world.questions import FACT_FORMS, FORMS, NUMBERS, named_fact, plain_caption, questions, statement
from mekiki_world.scenes import COLOURS, KINDS, training_scene

SPECIAL = ("<s>", "</s>", "<pad>")
BEGIN, END, PAD = range(3)
IMAGE = "<image>"  # the placeholder of the picture's vectors is the last token, beyond all that may be written
TEXT_SEED = 7  # scenes of texts are others than those of pictures


def train_tokenizer(path: Path, size: int = 2000) -> Tokenizer:
    """A byte-level BPE of the world's texts, saved as tokenizer.json; <s> begins every text."""
    rng, texts = random.Random(11), []
    for index in range(12000):
        scene = training_scene(TEXT_SEED, index)
        texts += [" " + plain_caption(scene, rng)] + [f"Question: {q.text} Short answer: {q.answer}" for q in questions(scene, rng, 4)]
        texts += ["Question: {} Answer: {}.".format(*named_fact(rng)), " " + statement(rng)]
    texts += [f" {n} {plural_of(n)}" for k in KINDS for n in (k.name, *k.synonyms, *k.held_out)] * 5
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=size - 1, special_tokens=list(SPECIAL), initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_special_tokens([IMAGE])
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", BEGIN)])
    path.parent.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(path))
    return tokenizer


def configuration(settings, vocabulary: int) -> LlamaConfig:
    """The language model's configuration."""
    return LlamaConfig(
        vocab_size=vocabulary, hidden_size=settings.language_width, intermediate_size=settings.language_inner, num_hidden_layers=settings.language_layers,
        num_attention_heads=settings.language_heads, num_key_value_heads=settings.language_kv_heads, head_dim=settings.language_width // settings.language_heads,
        hidden_act="silu", max_position_embeddings=512, rms_norm_eps=1e-5, rope_theta=10000.0, tie_word_embeddings=True, attention_bias=False, mlp_bias=False,
        bos_token_id=BEGIN, eos_token_id=END, pad_token_id=PAD,
    )


class Norm(nn.Module):
    """Root-mean-square normalisation."""

    def __init__(self, width: int, eps: float):
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(width)), eps

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.rms_norm(x, (x.shape[-1],), self.weight, self.eps)


@dataclass
class Layout:
    """Where the rows of a pass stand: rotary tables and shapes (rows, length) of pictures and of texts, and the texts' mask."""

    tables: tuple
    shapes: tuple
    mask: torch.Tensor
    points: tuple = ()  # rows and tokens of texts whose scores are kept in looks, [points, heads, keys]
    looks: list = field(default_factory=list)


class Attention(nn.Module):
    """Causal attention with grouped queries and rotary positions."""

    def __init__(self, config: LlamaConfig):
        super().__init__()
        self.heads, self.kv_heads, self.size = config.num_attention_heads, config.num_key_value_heads, config.head_dim
        linear = lambda a, b: nn.Linear(a, b, bias=False)
        self.q_proj = linear(config.hidden_size, self.heads * self.size)
        self.k_proj = linear(config.hidden_size, self.kv_heads * self.size)
        self.v_proj = linear(config.hidden_size, self.kv_heads * self.size)
        self.o_proj = linear(self.heads * self.size, config.hidden_size)

    def forward(self, x, layout):
        heads = lambda t, n, shape: t.view(*shape, n, self.size).transpose(1, 2)
        (first, last), (picture, bins) = layout.tables, layout.shapes
        split = picture[0] * picture[1]
        q, k, v = self.q_proj(x), self.k_proj(x), self.v_proj(x)
        groups = self.heads // self.kv_heads
        many = lambda t: t.repeat_interleave(groups, 1)
        picture_k, picture_v = rotate(heads(k[:split], self.kv_heads, picture), *first), heads(v[:split], self.kv_heads, picture)
        out = F.scaled_dot_product_attention(rotate(heads(q[:split], self.heads, picture), *first), many(picture_k), many(picture_v), is_causal=True)
        spread = lambda t: t.repeat_interleave(bins[0] // picture[0], 0)
        text_k = torch.cat([spread(picture_k), rotate(heads(k[split:], self.kv_heads, bins), *last)], 2)
        text_v = torch.cat([spread(picture_v), heads(v[split:], self.kv_heads, bins)], 2)
        text_q = rotate(heads(q[split:], self.heads, bins), *last)
        if layout.points:
            rows, tokens = layout.points
            layout.looks.append(scores_of(text_q[rows, :, tokens, None], many(text_k[rows]), layout.mask[rows, :, tokens, None])[:, :, 0])
        text = attend(text_q, many(text_k), many(text_v), layout.mask)
        flat = lambda t: t.transpose(1, 2).reshape(-1, self.heads * self.size)
        return self.o_proj(torch.cat([flat(out), flat(text)]))


def attend(q, k, v, mask):
    """Attention with an additive mask; faster than the fused one on CPUs for short rows."""
    return torch.matmul(scores_of(q, k, mask).softmax(-1), v)


def scores_of(q, k, mask):
    """Scaled products of queries and keys under an additive mask."""
    return torch.matmul(q * q.shape[-1] ** -0.5, k.mT) + mask


def rotate(x, cos, sin):
    """Rotary positions, half against half."""
    a, b = x.chunk(2, -1)
    return x * cos + torch.cat([-b, a], -1) * sin


class FeedForward(nn.Module):
    """The gated feed-forward layer."""

    def __init__(self, config: LlamaConfig):
        super().__init__()
        self.gate_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.up_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.down_proj = nn.Linear(config.intermediate_size, config.hidden_size, bias=False)

    def forward(self, x):
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    """One decoder layer."""

    def __init__(self, config: LlamaConfig):
        super().__init__()
        self.self_attn, self.mlp = Attention(config), FeedForward(config)
        self.input_layernorm = Norm(config.hidden_size, config.rms_norm_eps)
        self.post_attention_layernorm = Norm(config.hidden_size, config.rms_norm_eps)

    def forward(self, x, layout):
        x = x + self.self_attn(self.input_layernorm(x), layout)
        return x + self.mlp(self.post_attention_layernorm(x))


class Stack(nn.Module):
    """Embeddings, layers and the last norm."""

    def __init__(self, config: LlamaConfig):
        super().__init__()
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.num_hidden_layers))
        self.norm = Norm(config.hidden_size, config.rms_norm_eps)


class Language(nn.Module):
    """LlamaForCausalLM for training: the same tensors under the same names, with masks and positions of packed texts."""

    def __init__(self, config: LlamaConfig):
        super().__init__()
        self.config, self.model = config, Stack(config)
        frequencies = 1.0 / config.rope_parameters["rope_theta"] ** (torch.arange(0, config.head_dim, 2).float() / config.head_dim)
        angles = torch.outer(torch.arange(config.max_position_embeddings).float(), frequencies).repeat(1, 2)
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)
        for name, parameter in self.named_parameters():
            if parameter.ndim == 2:
                nn.init.normal_(parameter, std=0.05 if "embed" in name else 0.7 / parameter.shape[1] ** 0.5)
            if name.endswith(("o_proj.weight", "down_proj.weight")):
                parameter.data.mul_(1 / (2 * config.num_hidden_layers) ** 0.5)

    def embed(self, ids: torch.Tensor) -> torch.Tensor:
        return self.model.embed_tokens(ids)

    def hidden(self, prefix: torch.Tensor, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        """Vectors of pictures [B,Q,H] and packed texts, ids [B*n,W], to the texts' normed outputs [B*n,W,H]."""
        return self.looking(prefix, batch, {})[0]

    def looking(self, prefix: torch.Tensor, batch: dict[str, torch.Tensor], points: dict[int, tuple]) -> tuple[torch.Tensor, dict[int, torch.Tensor]]:
        """The same, and by layer the scores [points, heads, Q+W] with which it looks around from points, rows and tokens of the texts."""
        ids, width = batch["ids"], prefix.shape[-1]
        table = lambda positions: tuple(t[positions][:, None].to(prefix.dtype) for t in (self.cos, self.sin))
        layout = Layout(
            (table(torch.arange(prefix.shape[1])[None]), table(batch["positions"])), (tuple(prefix.shape[:2]), tuple(ids.shape)),
            torch.where(batch["mask"], 0.0, -10000.0).to(prefix.dtype)[:, None],
        )
        rows = torch.cat([prefix.reshape(-1, width), self.embed(ids).reshape(-1, width)])
        looks = {}
        for i, layer in enumerate(self.model.layers):
            own = replace(layout, points=points.get(i, ()), looks=[])
            rows = layer(rows, own)
            looks |= {i: own.looks[0]} if own.looks else {}
        return self.model.norm(rows[prefix.shape[0] * prefix.shape[1] :]).view(*ids.shape, width), looks

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        return F.linear(hidden, self.model.embed_tokens.weight).float()
