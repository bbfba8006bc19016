"""Makes the reference outputs of language models that `go test ./embed/language` compares with.

Usage: python decoders.py [name ...]   (writes ../../embed/language/testdata/parity/<name>.json)

The models are those of Hugging Face transformers with generated weights, in float64. Vectors that stand for an image come
before the token embeddings, as in BLIP-2; they are generated, too.
"""

import json
import pathlib
import sys

import torch
import transformers

import weights
from reference import pack

OUTPUT = pathlib.Path(__file__).resolve().parents[2] / "embed" / "language" / "testdata" / "parity"

# One model for each thing that could go wrong: head widths that are no powers of two, widths that blocks of 32 do not
# divide, heads wider than the model, shared keys and values, heads of their own and tied ones.
CONFIGS = {
    "opt": dict(seed=11, kind="opt", hidden=48, layers=3, heads=2, inner=80, vocabulary=101, positions=90, vectors=5, prompts=[7, 3]),
    "opt_one": dict(seed=12, kind="opt", hidden=24, layers=1, heads=1, inner=33, vocabulary=50, positions=60, vectors=3, prompts=[1], untied=True),
    "llama": dict(seed=13, kind="llama", hidden=48, layers=3, heads=6, shared=2, width=16, inner=90, vocabulary=97, positions=128,
                  vectors=4, prompts=[6, 9], theta=10000.0, epsilon=1e-6, untied=True),
    "llama_tied": dict(seed=14, kind="llama", hidden=36, layers=2, heads=3, shared=3, width=16, inner=64, vocabulary=64, positions=96,
                       vectors=6, prompts=[4], theta=100000.0, epsilon=1e-5),
    "t5": dict(seed=15, kind="t5", hidden=40, layers=3, decoder=4, heads=4, width=8, inner=56, vocabulary=99, vectors=6,
               prompts=[8, 5], buckets=32, distance=128, act="gelu", untied=True),
    "t5_tied": dict(seed=16, kind="t5", hidden=32, layers=2, decoder=2, heads=2, width=16, inner=72, vocabulary=70, vectors=40,
                    prompts=[100], buckets=16, distance=40, act="gelu_new"),
}

WRITTEN = 24  # tokens that are written greedily


def build(spec: dict):
    """The transformers model of a fixture, and its configuration as embed/checkpoint has it."""
    kind, tied = spec["kind"], not spec.get("untied", False)
    language = dict(Architecture=kind, HiddenSize=spec["hidden"], Layers=spec["layers"], Heads=spec["heads"],
                    KeyValueHeads=spec.get("shared", spec["heads"]), HeadWidth=spec.get("width", spec["hidden"] // spec["heads"]),
                    IntermediateSize=spec["inner"], VocabularySize=spec["vocabulary"], Words=spec["vocabulary"], Tied=tied,
                    Positions=spec.get("positions", 0), NormEpsilon=spec.get("epsilon", 1e-6), Activation="relu")
    if kind == "opt":
        language["NormEpsilon"] = 1e-5
        config = transformers.OPTConfig(
            hidden_size=spec["hidden"], num_hidden_layers=spec["layers"], num_attention_heads=spec["heads"], ffn_dim=spec["inner"],
            vocab_size=spec["vocabulary"], max_position_embeddings=spec["positions"], word_embed_proj_dim=spec["hidden"],
            tie_word_embeddings=tied)
        model = transformers.OPTForCausalLM(config)
    elif kind == "llama":
        language.update(Activation="silu", Gated=True, RotaryTheta=spec["theta"])
        config = transformers.LlamaConfig(
            hidden_size=spec["hidden"], num_hidden_layers=spec["layers"], num_attention_heads=spec["heads"],
            num_key_value_heads=spec["shared"], head_dim=spec["width"], intermediate_size=spec["inner"],
            vocab_size=spec["vocabulary"], max_position_embeddings=spec["positions"], rms_norm_eps=spec["epsilon"],
            rope_theta=spec["theta"], tie_word_embeddings=tied)
        model = transformers.LlamaForCausalLM(config)
    else:
        language.update(Activation=spec["act"], Gated=True, DecoderLayers=spec["decoder"], RelativeBuckets=spec["buckets"],
                        RelativeDistance=spec["distance"], ScaleOutput=tied)
        config = transformers.T5Config(
            d_model=spec["hidden"], d_kv=spec["width"], d_ff=spec["inner"], num_heads=spec["heads"], num_layers=spec["layers"],
            num_decoder_layers=spec["decoder"], vocab_size=spec["vocabulary"], relative_attention_num_buckets=spec["buckets"],
            relative_attention_max_distance=spec["distance"], feed_forward_proj="gated-gelu", dense_act_fn=spec["act"],
            tie_word_embeddings=tied)
        config.dense_act_fn = spec["act"]
        model = transformers.T5ForConditionalGeneration(config)
        if not tied:
            model.lm_head.weight = torch.nn.Parameter(torch.empty_like(model.lm_head.weight))
        assert model.config.dense_act_fn == spec["act"]
    model.double().eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(torch.from_numpy(weights.tensor("language_model." + name, tuple(parameter.shape), spec["seed"])))
    return model, language


def shapes(model) -> dict:
    return {"language_model." + name: list(parameter.shape) for name, parameter in model.named_parameters()}


def prompt(spec: dict, row: int, length: int) -> list[int]:
    bits = weights.stream(f"prompt {row}", spec["seed"], length)
    return [int(value % spec["vocabulary"]) for value in bits]


def reference(spec: dict) -> dict:
    model, language = build(spec)
    result = dict(seed=spec["seed"], language=language, shapes=shapes(model), vectors=spec["vectors"], prompts=[])
    table = model.get_input_embeddings().weight
    with torch.no_grad():
        for row, length in enumerate(spec["prompts"]):
            ids = prompt(spec, row, length)
            vectors = torch.from_numpy(weights.tensor(f"vectors {row}", (spec["vectors"], spec["hidden"]), spec["seed"])).double()
            embeddings = torch.cat([vectors, table[ids]])[None]
            one = decode_t5(model, embeddings) if spec["kind"] == "t5" else decode(model, embeddings)
            result["prompts"].append(dict(ids=ids, **one))
    return result


def decode(model, embeddings) -> dict:
    """All hidden states of the prompt, and a text written greedily with the logits before each of its tokens."""
    table = model.get_input_embeddings().weight
    outputs = model(inputs_embeds=embeddings, output_hidden_states=True)
    written, logits = [], []
    for _ in range(WRITTEN):
        logits.append(model(inputs_embeds=embeddings).logits[0, -1])
        written.append(int(logits[-1].argmax()))
        embeddings = torch.cat([embeddings, table[written[-1]][None, None]], 1)
    # transformers gives the last layer's states after the final norm
    return dict(states=pack(torch.stack(outputs.hidden_states)[:, 0]), all_logits=pack(outputs.logits[0]),
                written=written, logits=pack(torch.stack(logits)))


def decode_t5(model, embeddings) -> dict:
    encoded = model.encoder(inputs_embeds=embeddings, output_hidden_states=True)
    written, logits = [], []
    for _ in range(WRITTEN):
        outputs = model(encoder_outputs=(encoded.last_hidden_state,), decoder_input_ids=torch.tensor([[0] + written]),
                        output_hidden_states=True)
        logits.append(outputs.logits[0, -1])
        written.append(int(logits[-1].argmax()))
    outputs = model(encoder_outputs=(encoded.last_hidden_state,), decoder_input_ids=torch.tensor([[0] + written[:-1]]), output_hidden_states=True)
    encoder = torch.stack(encoded.hidden_states)[:, 0]
    return dict(encoder_states=pack(encoder), states=pack(torch.stack(outputs.decoder_hidden_states)[:, 0]),
                all_logits=pack(outputs.logits[0]), written=written, logits=pack(torch.stack(logits)))


def buckets() -> dict:
    """T5's buckets of the distances from -200 to 200, of the encoder and of the decoder."""
    from transformers.models.t5.modeling_t5 import T5Attention
    distances = torch.arange(-200, 201)
    return {f"{count} {largest}": {
        side: T5Attention._relative_position_bucket(distances, side == "encoder", count, largest).tolist()
        for side in ("encoder", "decoder")} for count, largest in ((32, 128), (16, 40), (64, 1000))}


def main() -> None:
    OUTPUT.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[1:] or CONFIGS:
        (OUTPUT / f"{name}.json").write_text(json.dumps(dict(name=name, **reference(CONFIGS[name]))) + "\n")
    (OUTPUT.parent / "buckets.json").write_text(json.dumps(buckets()) + "\n")


if __name__ == "__main__":
    main()
