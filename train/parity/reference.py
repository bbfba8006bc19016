"""Makes the reference outputs that `go test ./embed/blip2` compares with.

Usage: python reference.py [name ...]   (writes ../../embed/blip2/testdata/parity/<name>.json)

Vision encoder, Q-Former, projections and matching head run in Hugging Face
transformers; the CLIP variant's encoder in its CLIPVisionModel, encoders that
merge tokens in merging.py, which without merging is equal to these. The
language-model head is not part of transformers: its logits come from plain
PyTorch on the outputs of transformers' Q-Former layers under the UniLM mask,
recomputed from scratch for every caption token.
"""

import base64
import json
import pathlib
import sys

import numpy as np
import torch
import transformers
from torch.nn import functional
from transformers import Blip2Config, Blip2ForImageTextRetrieval, CLIPVisionConfig, CLIPVisionModel

import merging
import weights

OUTPUT = pathlib.Path(__file__).resolve().parents[2] / "embed" / "blip2" / "testdata" / "parity"

# One model for each thing that could go wrong: head widths that are no power
# of two, odd widths, an image size that the patch size does not divide, one
# layer, cross-attention in every layer, one query, no padding, long text, a
# decoder of its own, another epsilon in the last norm, merged tokens: some in
# each layer, and as many as there can be.
CONFIGS = {
    "regular": dict(
        seed=1, vision=dict(hidden=32, layers=3, heads=4, inner=64, image=28, patch=7),
        former=dict(hidden=24, layers=4, heads=3, inner=48, vocabulary=97, positions=40, frequency=2),
        queries=6, projection=16, images=2, texts=[7, 3, 12], epsilon=1e-6),
    "odd": dict(
        seed=2, vision=dict(hidden=33, layers=2, heads=3, inner=47, image=20, patch=6),
        former=dict(hidden=15, layers=3, heads=5, inner=29, vocabulary=61, positions=17, frequency=1),
        queries=5, projection=7, images=3, texts=[1, 17, 9, 2], epsilon=1e-6),
    "single": dict(
        seed=3, vision=dict(hidden=8, layers=1, heads=1, inner=16, image=8, patch=8),
        former=dict(hidden=8, layers=1, heads=2, inner=16, vocabulary=31, positions=8, frequency=2, untied=True),
        queries=1, projection=4, images=1, texts=[4], epsilon=1e-5),
    "deep": dict(
        seed=4, vision=dict(hidden=88, layers=6, heads=1, inner=128, image=42, patch=14),
        former=dict(hidden=64, layers=6, heads=4, inner=96, vocabulary=211, positions=64, frequency=3),
        queries=8, projection=12, images=2, texts=[33, 64], epsilon=1e-6),
    "clip": dict(
        seed=5, vision=dict(hidden=32, layers=3, heads=2, inner=64, image=24, patch=8, clip=True, final_epsilon=1e-3),
        former=dict(hidden=24, layers=2, heads=2, inner=40, vocabulary=83, positions=24, frequency=2),
        queries=4, projection=8, images=2, texts=[5, 8], epsilon=1e-5),
    "merged": dict(
        seed=7, vision=dict(hidden=36, layers=4, heads=3, inner=52, image=36, patch=6, merged=5),
        former=dict(hidden=24, layers=3, heads=2, inner=40, vocabulary=71, positions=20, frequency=2),
        queries=5, projection=9, images=3, texts=[6, 11], epsilon=1e-6),
    "merged-clip": dict(
        seed=8, vision=dict(hidden=20, layers=4, heads=2, inner=44, image=30, patch=6, clip=True, final_epsilon=1e-3, merged=9),
        former=dict(hidden=16, layers=2, heads=2, inner=24, vocabulary=53, positions=16, frequency=1),
        queries=3, projection=6, images=2, texts=[4], epsilon=1e-5),
}


def huggingface(spec: dict) -> Blip2ForImageTextRetrieval:
    """The transformers model of a fixture, with the generated weights."""
    vision, former = spec["vision"], spec["former"]
    config = Blip2Config(
        vision_config=dict(
            hidden_size=vision["hidden"], num_hidden_layers=vision["layers"], num_attention_heads=vision["heads"],
            intermediate_size=vision["inner"], image_size=vision["image"], patch_size=vision["patch"],
            layer_norm_eps=spec["epsilon"], hidden_act="gelu"),
        qformer_config=dict(
            hidden_size=former["hidden"], num_hidden_layers=former["layers"], num_attention_heads=former["heads"],
            intermediate_size=former["inner"], vocab_size=former["vocabulary"],
            max_position_embeddings=former["positions"], cross_attention_frequency=former["frequency"],
            encoder_hidden_size=vision["hidden"], use_qformer_text_input=True),
        text_config=dict(model_type="opt", hidden_size=8, ffn_dim=8, num_hidden_layers=1, num_attention_heads=1,
                         vocab_size=8, max_position_embeddings=8, word_embed_proj_dim=8),
        num_query_tokens=spec["queries"], image_text_hidden_size=spec["projection"])
    config._attn_implementation = "eager"
    model = Blip2ForImageTextRetrieval(config).eval()
    with torch.no_grad():
        for name, parameter in model.state_dict().items():
            parameter.copy_(torch.from_numpy(weights.tensor(name, tuple(parameter.shape), spec["seed"])))
    return model


def generated(name: str, spec: dict, *shape: int) -> torch.Tensor:
    return torch.from_numpy(weights.tensor(name, shape, spec["seed"]))


def clip_tokens(spec: dict, pixels: torch.Tensor) -> torch.Tensor:
    """Image tokens of the CLIP variant: CLIP's trunk, then ln_vision over all tokens."""
    vision = spec["vision"]
    width = vision["hidden"]
    trunk = CLIPVisionModel(CLIPVisionConfig(
        hidden_size=width, num_hidden_layers=vision["layers"], num_attention_heads=vision["heads"],
        intermediate_size=vision["inner"], image_size=vision["image"], patch_size=vision["patch"],
        hidden_act="quick_gelu", layer_norm_eps=spec["epsilon"], attn_implementation="eager")).eval()
    state = {}

    def put(name, value):
        state[name] = value

    prefix = "vision_model."
    tokens = (vision["image"] // vision["patch"]) ** 2 + 1
    put("embeddings.class_embedding", generated(prefix + "embeddings.class_embedding", spec, 1, 1, width).reshape(width))
    put("embeddings.patch_embedding.weight",
        generated(prefix + "embeddings.patch_embedding.weight", spec, width, 3, vision["patch"], vision["patch"]))
    put("embeddings.position_embedding.weight",
        generated(prefix + "embeddings.position_embedding", spec, 1, tokens, width)[0])
    for part in ("weight", "bias"):
        put("pre_layrnorm." + part, generated(prefix + "pre_layernorm." + part, spec, width))
        put("post_layernorm." + part, generated(prefix + "post_layernorm." + part, spec, width))
    for layer in range(vision["layers"]):
        source = f"{prefix}encoder.layers.{layer}."
        target = f"encoder.layers.{layer}."
        packed = generated(source + "self_attn.qkv.weight", spec, 3 * width, width)
        bias = generated(source + "self_attn.qkv.bias", spec, 3 * width)
        for i, which in enumerate("qkv"):
            put(target + f"self_attn.{which}_proj.weight", packed[i * width:(i + 1) * width])
            put(target + f"self_attn.{which}_proj.bias", bias[i * width:(i + 1) * width])
        for ours, theirs, out, into in (("self_attn.projection", "self_attn.out_proj", width, width),
                                        ("mlp.fc1", "mlp.fc1", vision["inner"], width),
                                        ("mlp.fc2", "mlp.fc2", width, vision["inner"])):
            put(target + theirs + ".weight", generated(source + ours + ".weight", spec, out, into))
            put(target + theirs + ".bias", generated(source + ours + ".bias", spec, out))
        for norm in ("layer_norm1", "layer_norm2"):
            for part in ("weight", "bias"):
                put(target + norm + "." + part, generated(source + norm + "." + part, spec, width))
    inner = getattr(trunk, "vision_model", trunk)
    inner.load_state_dict(state, strict=False)
    missing = [name for name, _ in inner.named_parameters() if name not in state]
    assert not missing, missing
    last = trunk(pixels).last_hidden_state  # CLIP leaves post_layernorm to the class token
    return functional.layer_norm(last, (width,), state["post_layernorm.weight"], state["post_layernorm.bias"],
                                 vision["final_epsilon"])


def unmerged(spec: dict, pixels: torch.Tensor, model) -> torch.Tensor:
    """Image tokens of transformers' own encoders, which merge none."""
    return clip_tokens(spec, pixels) if spec["vision"].get("clip") else model.vision_model(pixels).last_hidden_state


def text_logits(model, spec: dict, tokens: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    """Language-model logits [B, T, V]: text sees queries and itself causally, queries see queries."""
    queries = spec["queries"]
    batch, length = ids.shape
    size = queries + length
    open_ = torch.zeros(size, size)
    open_[:, :queries] = 1
    open_[queries:, queries:] = torch.tril(torch.ones(length, length))
    mask = ((1 - open_) * -10000.0)[None, None].expand(batch, 1, size, size)
    hidden = model.embeddings(input_ids=ids, query_embeds=model.query_tokens.expand(batch, -1, -1))
    hidden = model.qformer.layernorm(hidden)
    for layer in model.qformer.encoder.layer:
        hidden = layer(hidden, mask, tokens, encoder_attention_mask=None, query_length=queries)
    x = hidden[:, queries:]
    width, vocabulary = spec["former"]["hidden"], spec["former"]["vocabulary"]
    head = "cls.predictions."
    x = functional.linear(x, generated(head + "transform.dense.weight", spec, width, width),
                          generated(head + "transform.dense.bias", spec, width))
    x = functional.layer_norm(functional.gelu(x), (width,), generated(head + "transform.LayerNorm.weight", spec, width),
                              generated(head + "transform.LayerNorm.bias", spec, width), 1e-12)
    decoder = model.embeddings.word_embeddings.weight
    if spec["former"].get("untied"):
        decoder = generated(head + "decoder.weight", spec, vocabulary, width)
    return functional.linear(x, decoder, generated(head + "bias", spec, vocabulary))


# The published sizes, for full_size.py only: too large to commit outputs of.
PUBLISHED = dict(
    seed=6, vision=dict(hidden=1408, layers=39, heads=16, inner=6144, image=224, patch=14),
    former=dict(hidden=768, layers=12, heads=12, inner=3072, vocabulary=30523, positions=512, frequency=2),
    queries=32, projection=256, images=2, texts=[12, 7], epsilon=1e-6)


def greedy(model, spec: dict, tokens: torch.Tensor, limit: int) -> list[list[int]]:
    """Token ids chosen greedily for each image, from the last id of the vocabulary on."""
    captions = []
    for i in range(tokens.shape[0]):
        ids = [spec["former"]["vocabulary"] - 1]
        while len(ids) < limit:
            logits = text_logits(model, spec, tokens[i:i + 1], torch.tensor([ids]))[0, -1]
            best = logits.topk(2).values
            assert best[0] - best[1] > 1e-3, "a tie makes a poor fixture; choose another seed"
            ids.append(int(logits.argmax()))
        captions.append(ids)
    return captions


def pack(value: torch.Tensor) -> dict:
    array = value.detach().numpy().astype("<f4")
    return {"shape": list(array.shape), "float32": base64.b64encode(array.tobytes()).decode()}


@torch.no_grad()
def make(name: str, spec: dict, model=None) -> dict:
    model = model or huggingface(spec)
    vision, former = spec["vision"], spec["former"]
    images, lengths = spec["images"], spec["texts"]
    pixels = torch.from_numpy(
        weights.uniform("pixels", spec["seed"], images * 3 * vision["image"] ** 2) * np.float32(2)
    ).reshape(images, 3, vision["image"], vision["image"])
    longest = max(lengths)
    numbers = weights.stream("token_ids", spec["seed"], len(lengths) * longest)
    ids = torch.from_numpy((numbers % np.uint64(former["vocabulary"])).astype(np.int64)).reshape(len(lengths), longest)
    mask = (torch.arange(longest)[None] < torch.tensor(lengths)[:, None]).long()
    ids = ids * mask

    if vision.get("merged"):
        tokens = merging.merged_tokens(vision, pixels, lambda name, *shape: generated(name, spec, *shape), spec["epsilon"])
        assert torch.allclose(unmerged(spec, pixels, model), merging.merged_tokens(
            vision | {"merged": 0}, pixels, lambda name, *shape: generated(name, spec, *shape), spec["epsilon"]), atol=1e-5)
    else:
        tokens = unmerged(spec, pixels, model)
    ones = torch.ones(tokens.shape[:2], dtype=torch.long)
    image_states = model.qformer(model.query_tokens.expand(images, -1, -1), encoder_hidden_states=tokens,
                                 encoder_attention_mask=ones).last_hidden_state
    parts = functional.normalize(model.vision_projection(image_states), dim=-1)
    text_states = model.qformer(model.embeddings(input_ids=ids), query_length=0, attention_mask=mask).last_hidden_state
    vectors = functional.normalize(model.text_projection(text_states[:, 0]), dim=-1)
    contrast = (parts @ vectors.T).max(dim=1).values

    # Every image with every text.
    which = torch.arange(images).repeat_interleave(len(lengths))
    pair_tokens, pair_ids, pair_mask = tokens[which], ids.repeat(images, 1), mask.repeat(images, 1)
    queries = model.query_tokens.expand(len(which), -1, -1)
    full = torch.cat([torch.ones(queries.shape[:2], dtype=torch.long), pair_mask], dim=1)
    states = model.qformer(model.embeddings(input_ids=pair_ids, query_embeds=queries), query_length=spec["queries"],
                           attention_mask=full, encoder_hidden_states=pair_tokens,
                           encoder_attention_mask=torch.ones(pair_tokens.shape[:2], dtype=torch.long)).last_hidden_state
    match = model.itm_head(states[:, :spec["queries"]]).mean(dim=1)

    if not vision.get("clip") and not vision.get("merged"):  # the published entry point gives the same
        contrast_whole = model(pixel_values=pixels, input_ids=ids, attention_mask=mask).logits_per_image
        match_whole = model(pixel_values=pixels[which], input_ids=pair_ids, attention_mask=pair_mask,
                            use_image_text_matching_head=True).logits_per_image
        assert torch.allclose(contrast, contrast_whole, atol=1e-6) and torch.allclose(match, match_whole, atol=1e-5)

    taught = ids[:, :min(lengths[0], longest)].clone()
    taught[:, 0] = former["vocabulary"] - 1
    taught = taught[:1].expand(images, -1)
    return {
        "name": name,
        "made_with": {"torch": torch.__version__.split("+")[0], "transformers": transformers.__version__},
        "seed": spec["seed"],
        "config": {
            "Name": name,
            "Vision": {"HiddenSize": vision["hidden"], "Layers": vision["layers"], "Heads": vision["heads"],
                       "IntermediateSize": vision["inner"], "ImageSize": vision["image"], "PatchSize": vision["patch"],
                       "Activation": "quick_gelu" if vision.get("clip") else "gelu",
                       "LayerNormEpsilon": spec["epsilon"], "FinalLayerNormEpsilon": vision.get("final_epsilon", spec["epsilon"]),
                       "PreLayerNorm": bool(vision.get("clip")), "PatchBias": not vision.get("clip"),
                       **({"Merged": vision["merged"]} if vision.get("merged") else {})},
            "QFormer": {"HiddenSize": former["hidden"], "Layers": former["layers"], "Heads": former["heads"],
                        "IntermediateSize": former["inner"], "VocabularySize": former["vocabulary"],
                        "MaxPositions": former["positions"], "CrossAttentionFrequency": former["frequency"],
                        "LayerNormEpsilon": 1e-12},
            "QueryTokens": spec["queries"], "ProjectionSize": spec["projection"],
            "Preprocess": {"ImageSize": vision["image"]}},
        "untied": former.get("untied", False), "images": images, "text_lengths": lengths, "taught_ids": taught[0].tolist(),
        "image_tokens": pack(tokens), "image_states": pack(image_states), "parts": pack(parts),
        "text_states": pack(text_states * mask[..., None]), "text_vectors": pack(vectors), "contrast": pack(contrast),
        "match_states": pack(states[:, :spec["queries"]]), "match": pack(match.reshape(images, len(lengths), 2)),
        "taught_logits": pack(text_logits(model, spec, tokens, taught)),
        "captions": greedy(model, spec, tokens, min(8, former["positions"])),
    }


def main() -> None:
    torch.set_num_threads(1)
    OUTPUT.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[1:] or CONFIGS:
        path = OUTPUT / f"{name}.json"
        path.write_text(json.dumps(make(name, CONFIGS[name]), indent=1) + "\n")
        print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
