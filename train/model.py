"""The small BLIP-2: transformers' own modules, plus the language-model head and the temperature that they leave out."""

import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from transformers import Blip2Config, Blip2ForImageTextRetrieval, Blip2QFormerConfig, Blip2VisionConfig

from settings import Settings

MEAN = (0.48145466, 0.4578275, 0.40821073)
STANDARD_DEVIATION = (0.26862954, 0.26130258, 0.27577711)


def configuration(settings: Settings, vocabulary: int) -> Blip2Config:
    """The configuration, with every field explicit that a reader might otherwise take from ViT-g's defaults."""
    vision = Blip2VisionConfig(
        hidden_size=settings.vision_width, intermediate_size=4 * settings.vision_width, num_hidden_layers=settings.vision_layers,
        num_attention_heads=settings.vision_heads, image_size=settings.image_size, patch_size=settings.patch_size,
        hidden_act="gelu", layer_norm_eps=1e-6, attention_dropout=0.0, qkv_bias=True,
    )
    qformer = Blip2QFormerConfig(
        vocab_size=vocabulary, hidden_size=settings.qformer_width, num_hidden_layers=settings.qformer_layers,
        num_attention_heads=settings.qformer_heads, intermediate_size=4 * settings.qformer_width, hidden_act="gelu",
        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, max_position_embeddings=settings.positions,
        layer_norm_eps=1e-12, pad_token_id=0, cross_attention_frequency=2, encoder_hidden_size=settings.vision_width,
        use_qformer_text_input=True,
    )
    return Blip2Config(
        vision_config=vision.to_dict(), qformer_config=qformer.to_dict(), num_query_tokens=settings.query_tokens,
        image_text_hidden_size=settings.projection, image_token_index=None,
    )


class PredictionTransform(nn.Module):
    """BERT's transform before the tied decoder."""

    def __init__(self, width: int):
        super().__init__()
        self.dense = nn.Linear(width, width)
        self.LayerNorm = nn.LayerNorm(width, eps=1e-12)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        return self.LayerNorm(F.gelu(self.dense(hidden)))


class Predictions(nn.Module):
    """BERT's language-model head; the decoder is the word embedding."""

    def __init__(self, width: int, vocabulary: int):
        super().__init__()
        self.transform = PredictionTransform(width)
        self.bias = nn.Parameter(torch.zeros(vocabulary))


class Head(nn.Module):
    """Gives the head LAVIS's names: cls.predictions.*."""

    def __init__(self, width: int, vocabulary: int):
        super().__init__()
        self.predictions = Predictions(width, vocabulary)


class SmallBlip2(Blip2ForImageTextRetrieval):
    """Blip2ForImageTextRetrieval with `cls` and `temp`, and the passes that training needs."""

    def __init__(self, config: Blip2Config):
        super().__init__(config)
        self.cls = Head(config.qformer_config.hidden_size, config.qformer_config.vocab_size)
        self.temp = nn.Parameter(torch.tensor(0.07))
        self.start = config.qformer_config.vocab_size - 1

    def image_tokens(self, pixels: torch.Tensor, kept: torch.Tensor | None = None) -> torch.Tensor:
        """Pixels [B,3,S,S] to image tokens [B,N,D]; with kept [B,K], only of those patches (after the class token)."""
        embeddings = self.vision_model.embeddings
        side = embeddings.patch_size
        batch, _, height, width = pixels.shape
        patches = pixels.view(batch, 3, height // side, side, width // side, side).permute(0, 2, 4, 1, 3, 5).reshape(batch, -1, 3 * side * side)
        positions = embeddings.position_embedding[:, 1:].expand(batch, -1, -1)
        if kept is not None:
            patches = patches.gather(1, kept[..., None].expand(-1, -1, patches.shape[-1]))
            positions = positions.gather(1, kept[..., None].expand(-1, -1, positions.shape[-1]))
        # The convolution of the published module, as a matrix product: its backward pass is much faster on CPUs.
        hidden = F.linear(patches, embeddings.patch_embedding.weight.flatten(1), embeddings.patch_embedding.bias) + positions
        first = (embeddings.class_embedding + embeddings.position_embedding[:, :1]).expand(batch, -1, -1)
        hidden = torch.cat([first, hidden], 1)
        for layer in self.vision_model.encoder.layers:
            hidden = layer(hidden)
        return self.vision_model.post_layernorm(hidden)

    def attend(self, hidden: torch.Tensor, mask: torch.Tensor | None, image: torch.Tensor | None, queries: int, every: list[torch.Tensor] | None = None) -> torch.Tensor:
        """The Q-Former over embedded rows [B,L,H], with an additive mask [B,1,L or 1,L] and queries first. every takes in each layer's output."""
        hidden = self.qformer.layernorm(hidden)
        for layer in self.qformer.encoder.layer:
            attention = layer.attention(hidden, attention_mask=mask)
            if queries:
                query_part = attention[:, :queries]
                if layer.has_cross_attention:
                    query_part = layer.crossattention(query_part, encoder_hidden_states=image)
                hidden = layer.feed_forward_chunk_query(query_part)
                if attention.shape[1] > queries:
                    hidden = torch.cat([hidden, layer.feed_forward_chunk(attention[:, queries:])], 1)
            else:
                hidden = layer.feed_forward_chunk(attention)
            if every is not None:
                every.append(hidden)
        return hidden

    def embed_text(self, ids: torch.Tensor) -> torch.Tensor:
        """Word and position embeddings of token ids [B,T]."""
        return self.embeddings.word_embeddings(ids) + self.embeddings.position_embeddings.weight[: ids.shape[1]]

    def queries_and_causal_text(self, image: torch.Tensor, ids: torch.Tensor, every: list[torch.Tensor] | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        """ITC's image pass and ITG's pass at once: queries never see the text, so they are what they are alone.

        Returns the query outputs [B,Q,H] and the text outputs [B,T,H]; ids begin with [CLS], which becomes [DEC].
        """
        batch, length = ids.shape
        queries = self.query_tokens.shape[1]
        ids = torch.cat([torch.full_like(ids[:, :1], self.start), ids[:, 1:]], 1)
        rows = torch.cat([self.query_tokens.expand(batch, -1, -1), self.embed_text(ids)], 1)
        allowed = torch.zeros(queries + length, queries + length, dtype=torch.bool, device=ids.device)
        allowed[:, :queries] = True
        allowed[queries:, queries:] = torch.ones(length, length, dtype=torch.bool, device=ids.device).tril()
        mask = torch.where(allowed, 0.0, -10000.0).to(rows.dtype)[None, None]
        out = self.attend(rows, mask, image, queries, every)  # padding comes last, so causality already hides it
        return out[:, :queries], out[:, queries:]

    def image_parts(self, queries: torch.Tensor) -> torch.Tensor:
        """Query outputs to unit parts [B,Q,W]."""
        return F.normalize(self.vision_projection(queries).float(), dim=-1)

    def text_vectors(self, ids: torch.Tensor) -> torch.Tensor:
        """Token ids [B,T], zero-padded, to unit vectors [B,W]."""
        mask = torch.where(ids != 0, 0.0, -10000.0)[:, None, None].to(self.query_tokens.dtype)
        out = self.attend(self.embed_text(ids), mask, None, 0)
        return F.normalize(self.text_projection(out[:, 0]).float(), dim=-1)

    def match_logits(self, image: torch.Tensor, ids: torch.Tensor, every: list[torch.Tensor] | None = None) -> torch.Tensor:
        """ITM logits [B,2] of paired image tokens and texts."""
        batch = ids.shape[0]
        queries = self.query_tokens.shape[1]
        rows = torch.cat([self.query_tokens.expand(batch, -1, -1), self.embed_text(ids)], 1)
        seen = torch.cat([torch.ones(batch, queries, dtype=torch.bool, device=ids.device), ids != 0], 1)
        mask = torch.where(seen, 0.0, -10000.0)[:, None, None].to(rows.dtype)
        out = self.attend(rows, mask, image, queries, every)
        return self.itm_head(out[:, :queries]).float().mean(1)

    def vocabulary_logits(self, text: torch.Tensor) -> torch.Tensor:
        """Text outputs [...,H] to next-token logits [...,V]."""
        head = self.cls.predictions
        return F.linear(head.transform(text), self.embeddings.word_embeddings.weight, head.bias)


def build(settings: Settings, vocabulary: int) -> SmallBlip2:
    """A freshly initialised model in float32, with eager attention (faster than fused attention at these sizes on CPUs)."""
    torch.manual_seed(settings.seed)
    config = configuration(settings, vocabulary)
    config._attn_implementation = "eager"
    for part in (config.vision_config, config.qformer_config):
        part._attn_implementation = "eager"
    model = SmallBlip2(config)
    width, grid = settings.vision_width, settings.image_size // settings.patch_size
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim == 2 and ".encoder.layer" in name:
                nn.init.normal_(parameter, std=0.7 / math.sqrt(parameter.shape[1]))
                if name.endswith(("projection.weight", "fc2.weight")):
                    parameter.mul_(1 / math.sqrt(2 * settings.vision_layers))
        nn.init.normal_(model.query_tokens, std=0.5)
        nn.init.normal_(model.embeddings.position_embeddings.weight, std=0.1)
        nn.init.normal_(model.vision_model.embeddings.class_embedding, std=0.02)
        model.vision_model.embeddings.position_embedding.copy_(0.5 * sine_positions(grid, width))
        for linear in (model.vision_projection, model.text_projection, model.itm_head, model.cls.predictions.transform.dense):
            nn.init.normal_(linear.weight, std=1 / math.sqrt(linear.in_features))
            nn.init.zeros_(linear.bias)
    return model


def sine_positions(grid: int, width: int) -> torch.Tensor:
    """Two-dimensional sine and cosine positions [1, 1 + grid*grid, width]; the class token's row is zero."""
    frequencies = torch.exp(torch.arange(width // 4) * (-math.log(100.0) / (width // 4)))
    row, column = torch.meshgrid(torch.arange(grid), torch.arange(grid), indexing="ij")
    parts = []
    for axis in (row.flatten(), column.flatten()):
        angle = axis[:, None] * frequencies
        parts += [angle.sin(), angle.cos()]
    return torch.cat([torch.zeros(1, width), torch.cat(parts, 1)], 0)[None]


@torch.no_grad()
def whiten_patches(model: SmallBlip2, images: np.ndarray) -> None:
    """Starts the patch embedding at the principal components of real patches, each scaled to unit variance."""
    convolution = model.vision_model.embeddings.patch_embedding
    patches = F.unfold(normalise(torch.from_numpy(images)), convolution.kernel_size, stride=convolution.stride)
    patches = patches.transpose(1, 2).reshape(-1, patches.shape[1])
    mean = patches.mean(0)
    values, vectors = torch.linalg.eigh((patches - mean).T @ (patches - mean) / len(patches))
    count = convolution.out_channels
    order = values.argsort(descending=True)[:count]
    components = (vectors[:, order] / (values[order] + 0.02).sqrt()).T
    mix = torch.linalg.qr(torch.randn(count, count, generator=torch.Generator().manual_seed(0)))[0]
    components = 0.7 * mix @ components
    convolution.weight.copy_(components.reshape(convolution.weight.shape))
    convolution.bias.copy_(-components @ mean)


def normalise(images: torch.Tensor) -> torch.Tensor:
    """uint8 [B,H,W,3] to float32 [B,3,H,W] with CLIP's mean and standard deviation."""
    mean = torch.tensor(MEAN, device=images.device) * 255
    deviation = torch.tensor(STANDARD_DEVIATION, device=images.device) * 255
    return ((images.float() - mean) / deviation).permute(0, 3, 1, 2)


def keep_patches(is_thing: torch.Tensor, number: int) -> torch.Tensor:
    """Which patches to look at while training is young: those of things first, then random others. [B,P] to [B,number]."""
    return (is_thing.float() + torch.rand(is_thing.shape, device=is_thing.device)).topk(number, 1).indices
