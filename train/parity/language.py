"""Makes the reference outputs of second stages, a language model behind the Q-Former.

Usage: python language.py [name ...]   (writes ../../embed/blip2/testdata/language/<name>.json)

Everything runs in Hugging Face transformers, in float32, one image and one
prompt at a time. Weights are those of weights.py, under the names that
embed/checkpoint gives them, so that the files hold outputs only. README.md
says what each output is.
"""

import json
import pathlib
import sys

import numpy as np
import torch
import transformers
from transformers import Blip2Config, Blip2ForConditionalGeneration, InstructBlipConfig, InstructBlipForConditionalGeneration

import weights
from reference import pack

OUTPUT = pathlib.Path(__file__).resolve().parents[2] / "embed" / "blip2" / "testdata" / "language"

VISION = dict(hidden=36, layers=2, heads=3, inner=52, image=20, patch=6)
FORMER = dict(hidden=48, layers=3, heads=4, inner=56, vocabulary=67, positions=40, frequency=2)

# One model for each architecture and what may differ within it: heads whose
# widths do not add up to the model's, grouped queries, a head that is the
# token embedding or not, the number of layers of T5's two stacks (transformers
# 5.24 cannot decode where the decoder has more), its activations, few and many relative buckets, prompts that reach the last one.
MODELS = {
    "opt": dict(
        seed=21, queries=5, prompts=[[2], [2, 45, 7, 61, 30], None], limit=12,
        language=dict(Architecture="opt", HiddenSize=40, Layers=3, Heads=5, KeyValueHeads=5, HeadWidth=8, IntermediateSize=72,
                      VocabularySize=83, Positions=64, Activation="relu", NormEpsilon=1e-5, Tied=True, End=[13], Words=79)),
    "t5": dict(
        seed=122, queries=5, prompts=[[1], [45, 7, 61, 30, 1], None], limit=12, former=dict(frequency=1),
        language=dict(Architecture="t5", HiddenSize=44, Layers=3, DecoderLayers=2, Heads=6, KeyValueHeads=6, HeadWidth=8,
                      IntermediateSize=68, VocabularySize=91, Activation="gelu", Gated=True, NormEpsilon=1e-6,
                      RelativeBuckets=12, RelativeDistance=20, End=[1], Words=86)),
    "t5-tied": dict(  # the first T5: neither gated nor with a head of its own
        seed=323, queries=3, prompts=[[1], [5, 9, 1], None], limit=8,
        language=dict(Architecture="t5", HiddenSize=32, Layers=2, DecoderLayers=2, Heads=2, KeyValueHeads=2, HeadWidth=24,
                      IntermediateSize=40, VocabularySize=57, Activation="relu", NormEpsilon=1e-6, RelativeBuckets=32,
                      RelativeDistance=128, Tied=True, ScaleOutput=True, End=[1], Words=55)),
    "llama-grouped": dict(  # as SmolLM2: no token before the text, so that a prompt may be empty
        seed=124, queries=5, prompts=[[], [45, 7, 61, 30], None], limit=12,
        language=dict(Architecture="llama", HiddenSize=42, Layers=3, Heads=6, KeyValueHeads=2, HeadWidth=16, IntermediateSize=56,
                      VocabularySize=89, Positions=96, Activation="silu", Gated=True, NormEpsilon=1e-5, RotaryTheta=100000.0,
                      Tied=True, End=[2], Words=87)),
    "llama": dict(
        seed=125, queries=7, prompts=[[2], [2, 45, 7, 61, 30], None], limit=12,
        language=dict(Architecture="llama", HiddenSize=36, Layers=2, Heads=4, KeyValueHeads=4, HeadWidth=32, IntermediateSize=60,
                      VocabularySize=71, Positions=128, Activation="silu", Gated=True, NormEpsilon=1e-6, RotaryTheta=10000.0,
                      End=[1, 2], Words=68)),
    "instruct-t5": dict(
        seed=226, queries=5, prompts=[[1], [45, 7, 61, 30, 1], None], limit=12,
        language=dict(Architecture="t5", HiddenSize=32, Layers=2, DecoderLayers=2, Heads=4, KeyValueHeads=4, HeadWidth=8,
                      IntermediateSize=48, VocabularySize=79, Activation="gelu", Gated=True, NormEpsilon=1e-6,
                      RelativeBuckets=32, RelativeDistance=128, End=[1], Words=76, Instructed=True)),
    "instruct-llama": dict(
        seed=27, queries=4, prompts=[[2], [2, 45, 7, 61, 30], None], limit=12, former=dict(frequency=1, layers=2),
        language=dict(Architecture="llama", HiddenSize=48, Layers=2, Heads=3, KeyValueHeads=1, HeadWidth=16, IntermediateSize=56,
                      VocabularySize=73, Positions=96, Activation="silu", Gated=True, NormEpsilon=1e-6, RotaryTheta=10000.0,
                      End=[1, 2], Words=70, Instructed=True)),
}

IMAGES = 2
LONG_PROMPT = 23  # tokens of the prompt that stands for None
TAUGHT = 6


def former(spec: dict) -> dict:
    return FORMER | spec.get("former", {})


def text_config(language: dict) -> dict:
    common = dict(model_type=language["Architecture"], vocab_size=language["VocabularySize"], pad_token_id=0, bos_token_id=2,
                  eos_token_id=language["End"][0], tie_word_embeddings=language.get("Tied", False))
    if language["Architecture"] == "opt":
        return common | dict(hidden_size=language["HiddenSize"], word_embed_proj_dim=language["HiddenSize"],
                             num_hidden_layers=language["Layers"], num_attention_heads=language["Heads"],
                             ffn_dim=language["IntermediateSize"], max_position_embeddings=language["Positions"], dropout=0.0)
    if language["Architecture"] == "t5":
        activation = language["Activation"]
        return common | dict(d_model=language["HiddenSize"], num_layers=language["Layers"],
                             num_decoder_layers=language["DecoderLayers"], num_heads=language["Heads"], d_kv=language["HeadWidth"],
                             d_ff=language["IntermediateSize"], layer_norm_epsilon=language["NormEpsilon"],
                             feed_forward_proj="gated-" + activation if language.get("Gated") else activation,
                             dense_act_fn=activation, relative_attention_num_buckets=language["RelativeBuckets"],
                             relative_attention_max_distance=language["RelativeDistance"], decoder_start_token_id=0, dropout_rate=0.0)
    return common | dict(hidden_size=language["HiddenSize"], num_hidden_layers=language["Layers"],
                         num_attention_heads=language["Heads"], num_key_value_heads=language["KeyValueHeads"],
                         head_dim=language["HeadWidth"], intermediate_size=language["IntermediateSize"],
                         max_position_embeddings=language["Positions"], rms_norm_eps=language["NormEpsilon"],
                         rope_theta=language["RotaryTheta"])


def model_config(spec: dict) -> dict:
    """What config.json of the checkpoint says."""
    vision, f, language = VISION, former(spec), spec["language"]
    instructed = language.get("Instructed", False)
    return dict(
        vision_config=dict(
            hidden_size=vision["hidden"], num_hidden_layers=vision["layers"], num_attention_heads=vision["heads"],
            intermediate_size=vision["inner"], image_size=vision["image"], patch_size=vision["patch"], layer_norm_eps=1e-6,
            hidden_act="gelu"),
        qformer_config=dict(
            hidden_size=f["hidden"], num_hidden_layers=f["layers"], num_attention_heads=f["heads"], intermediate_size=f["inner"],
            vocab_size=f["vocabulary"], max_position_embeddings=f["positions"], cross_attention_frequency=f["frequency"],
            encoder_hidden_size=vision["hidden"]),
        text_config=text_config(language), num_query_tokens=spec["queries"],
        **{"image_token_index": language["Words"]} | ({} if instructed else {"image_text_hidden_size": 16}))


def canonical(name: str) -> str:
    """The name that embed/checkpoint gives a tensor: the Q-Former's text embeddings as in a first stage."""
    name = name.replace("qformer.embeddings.layernorm.", "qformer.layernorm.")
    name = name.replace("qformer.embeddings.", "embeddings.")
    return name


def build(spec: dict):
    """The transformers model with the generated weights."""
    instructed = spec["language"].get("Instructed", False)
    config = (InstructBlipConfig if instructed else Blip2Config)(**model_config(spec))
    config._attn_implementation = "eager"
    model = (InstructBlipForConditionalGeneration if instructed else Blip2ForConditionalGeneration)(config).eval()
    tied = spec["language"].get("Tied", False)
    if spec["language"]["Architecture"] == "t5" and not tied:  # transformers ties a new T5, and unties it when it loads two tensors
        assert not model.language_model.config.scale_decoder_outputs
        model.language_model.lm_head.weight = torch.nn.Parameter(model.language_model.lm_head.weight.clone())
    aliases = ("language_model.encoder.embed_tokens.weight", "language_model.decoder.embed_tokens.weight") + (
        ("language_model.lm_head.weight",) if tied else ())
    with torch.no_grad():
        for name, parameter in model.state_dict().items():
            if name in aliases or name.endswith("position_ids"):  # they share another's values
                continue
            parameter.copy_(torch.from_numpy(weights.tensor(canonical(name), tuple(parameter.shape), spec["seed"])))
    embedding = model.get_input_embeddings().weight
    head = model.language_model.get_output_embeddings().weight
    assert tied == bool((embedding == head).all()), "the head is not tied as it should be"
    return model


class Layers:
    """Collects what each layer of a stack gives, with the stack's input before the first, and its normalised output."""

    def __init__(self, layers, norm):
        self.states, self.normed, self.hooks = [], None, []

        def before(_, args, kwargs):
            self.states = [args[0] if args else kwargs["hidden_states"]]

        def after(_, __, output):
            self.states.append(output[0] if isinstance(output, tuple) else output)

        def final(_, __, output):
            self.normed = output

        self.hooks.append(layers[0].register_forward_pre_hook(before, with_kwargs=True))
        self.hooks += [layer.register_forward_hook(after) for layer in layers]
        self.hooks.append(norm.register_forward_hook(final))

    def packed(self) -> dict:
        return {"layers": [pack(state[0]) for state in self.states], "normed": pack(self.normed[0])}


def stacks(model, language: dict) -> dict:
    lm = model.language_model
    if language["Architecture"] == "opt":
        return {"decoder": Layers(lm.model.decoder.layers, lm.model.decoder.final_layer_norm)}
    if language["Architecture"] == "llama":
        return {"decoder": Layers(lm.model.layers, lm.model.norm)}
    return {"encoder": Layers(lm.encoder.block, lm.encoder.final_layer_norm),
            "decoder": Layers(lm.decoder.block, lm.decoder.final_layer_norm)}


def token_ids(name: str, seed: int, count: int, words: int) -> list[int]:
    """Ids from 3 on, so that none has a meaning of its own."""
    return [3 + int(number % np.uint64(words - 3)) for number in weights.stream(name, seed, count)]


def prompts(spec: dict) -> list[list[int]]:
    language, result = spec["language"], []
    for prompt in spec["prompts"]:
        if prompt is None:
            prompt = token_ids("prompt", spec["seed"], LONG_PROMPT, language["Words"])
            if language["Architecture"] == "t5":
                prompt[-1] = language["End"][0]
        result.append(prompt)
    return result


class Case:
    """One image with one prompt."""

    def __init__(self, model, spec: dict, pixels: torch.Tensor, prompt: list[int], instruction: list[int]):
        self.model, self.spec, self.language = model, spec, spec["language"]
        self.encoder_decoder = self.language["Architecture"] == "t5"
        self.pixels, self.prompt, self.instruction = pixels, prompt, instruction
        self.tokens = model.vision_model(pixels).last_hidden_state
        queries = model.query_tokens.expand(1, -1, -1)
        if self.language.get("Instructed"):
            mask = torch.ones(1, spec["queries"] + len(instruction), dtype=torch.long)
            self.states = model.qformer(
                input_ids=torch.tensor([instruction]), attention_mask=mask, query_embeds=queries,
                encoder_hidden_states=self.tokens).last_hidden_state[:, :spec["queries"]]
        else:
            self.states = model.qformer(query_embeds=queries, encoder_hidden_states=self.tokens).last_hidden_state
        self.projected = model.language_projection(self.states)

    def embeds(self, ids: list[int]) -> torch.Tensor:
        words = self.model.get_input_embeddings()(torch.tensor([ids], dtype=torch.long))
        return torch.cat([self.projected, words], dim=1)

    def logits(self, continuation: list[int]) -> torch.Tensor:
        """Logits [positions, V]: of every position of image, prompt and continuation, or of T5's decoder."""
        lm = self.model.language_model
        if not self.encoder_decoder:
            return lm(inputs_embeds=self.embeds(self.prompt + continuation)).logits[0]
        return lm(inputs_embeds=self.embeds(self.prompt), decoder_input_ids=torch.tensor([[0] + continuation])).logits[0]

    def score(self, continuation: list[int]) -> float:
        """The log-probability of the continuation and its end, over the whole vocabulary."""
        ids = continuation + self.language["End"][:1]
        rows = self.logits(continuation)[-len(ids):].double().log_softmax(dim=-1)
        return float(rows[torch.arange(len(ids)), torch.tensor(ids)].sum())

    def whole(self, continuation: list[int]) -> torch.Tensor:
        """The same logits from the published entry point, with placeholders for the image."""
        image = [self.language["Words"]] * self.spec["queries"]
        inputs = dict(pixel_values=self.pixels)
        if self.language.get("Instructed"):
            inputs["qformer_input_ids"] = torch.tensor([self.instruction])
            inputs["qformer_attention_mask"] = torch.ones(1, len(self.instruction), dtype=torch.long)
        if self.encoder_decoder:
            inputs["input_ids"] = torch.tensor([image + self.prompt])
            inputs["decoder_input_ids"] = torch.tensor([[0] + continuation])
        else:
            inputs["input_ids"] = torch.tensor([image + self.prompt + continuation])
        inputs["attention_mask"] = torch.ones_like(inputs["input_ids"])
        return self.model(**inputs).logits[0]

    def generate(self, beams: int, **options) -> dict:
        language = self.language
        embeds = self.embeds(self.prompt)
        result = self.model.language_model.generate(
            inputs_embeds=embeds, attention_mask=torch.ones(embeds.shape[:2], dtype=torch.long), num_beams=beams,
            num_return_sequences=beams, do_sample=False, return_dict_in_generate=True, output_scores=True,
            eos_token_id=language["End"], pad_token_id=0,
            suppress_tokens=list(range(language["Words"], language["VocabularySize"])), **options)
        texts = []
        for row in result.sequences.tolist():
            row = row[1:] if self.encoder_decoder else row
            ends = [i for i, token in enumerate(row) if token in language["End"]]
            texts.append(row[:ends[0] + 1] if ends else row[:options["max_new_tokens"]])
        margin = None
        if beams == 1:
            best = [scores[0].topk(2).values for scores in result.scores]
            margin = min(float(pair[0] - pair[1]) for pair in best)
            assert margin > 3e-4, f"a tie ({margin}) makes a poor fixture; choose another seed"
        else:
            scores = result.sequences_scores.tolist()
            margin = min((a - b for a, b in zip(scores, scores[1:])), default=1)
        return {"ids": texts, "scores": [] if beams == 1 else result.sequences_scores.tolist(), "margin": margin}


# What is generated for each case: beams and the options of transformers, and
# the same in the words of embed/decode.
GENERATIONS = [
    (1, dict(), {"method": "greedy"}),
    (1, dict(min_new_tokens=5), {"method": "greedy", "minimum_tokens": 5}),
    (1, dict(repetition_penalty=1.5), {"method": "greedy", "repetition_penalty": 1.5}),
    (1, dict(no_repeat_ngram_size=2), {"method": "greedy", "no_repeat": 2}),
    (5, dict(length_penalty=1.0), {"method": "beam", "beams": 5, "count": 5}),
    (5, dict(length_penalty=-1.0), {"method": "beam", "beams": 5, "count": 5, "length_penalty": -1}),
    (5, dict(length_penalty=0.0), {"method": "beam", "beams": 5, "count": 5, "length_penalty": 0}),
    (5, dict(length_penalty=2.0, min_new_tokens=4), {"method": "beam", "beams": 5, "count": 5, "length_penalty": 2, "minimum_tokens": 4}),
    (5, dict(repetition_penalty=1.5), {"method": "beam", "beams": 5, "count": 5, "repetition_penalty": 1.5}),
]


def make_case(model, spec: dict, image: int, prompt: int, pixels: torch.Tensor, ids: list[int], detailed: bool) -> dict:
    language, seed = spec["language"], spec["seed"]
    instruction = token_ids(f"instruction{prompt}", seed, 3 + 4 * prompt, former(spec)["vocabulary"]) if language.get("Instructed") else []
    case = Case(model, spec, pixels, ids, instruction)
    taught = token_ids(f"taught{prompt}", seed, TAUGHT, language["Words"])
    watched = stacks(model, language)
    logits = case.logits(taught)
    record = {"image": image, "prompt_ids": ids, "instruction_ids": instruction, "taught_ids": taught, "logits": pack(logits)}
    if detailed or language.get("Instructed"):
        record |= {"states": pack(case.states[0]), "projected": pack(case.projected[0])}
    if detailed:
        record |= {"image_tokens": pack(case.tokens[0])} | {name: stack.packed() for name, stack in watched.items()}
    for stack in watched.values():
        for hook in stack.hooks:
            hook.remove()
    assert torch.allclose(case.whole(taught), logits, atol=2e-6), "the published entry point gives other logits"
    record["scores"] = [{"ids": taught[:count], "score": case.score(taught[:count])} for count in (0, 1, 4)]
    record["generated"] = [
        {"options": words | {"maximum_tokens": spec["limit"]}} | case.generate(beams, max_new_tokens=spec["limit"], **options)
        for beams, options, words in GENERATIONS]
    return record


@torch.no_grad()
def make(name: str, spec: dict, model=None) -> dict:
    model = model or build(spec)
    vision, f = VISION, former(spec)
    pixels = torch.from_numpy(
        weights.uniform("pixels", spec["seed"], IMAGES * 3 * vision["image"] ** 2) * np.float32(2)
    ).reshape(IMAGES, 3, vision["image"], vision["image"])
    cases = []
    for image in range(IMAGES):
        for prompt, ids in enumerate(prompts(spec)):
            if image > 0 and prompt != 1:
                continue
            cases.append(make_case(model, spec, image, prompt, pixels[image:image + 1], ids, detailed=prompt == 1))
    return {
        "name": name,
        "made_with": {"torch": torch.__version__.split("+")[0], "transformers": transformers.__version__},
        "seed": spec["seed"],
        "config": {
            "Name": name,
            "Vision": {"HiddenSize": vision["hidden"], "Layers": vision["layers"], "Heads": vision["heads"],
                       "IntermediateSize": vision["inner"], "ImageSize": vision["image"], "PatchSize": vision["patch"],
                       "Activation": "gelu", "LayerNormEpsilon": 1e-6, "FinalLayerNormEpsilon": 1e-6, "PatchBias": True},
            "QFormer": {"HiddenSize": f["hidden"], "Layers": f["layers"], "Heads": f["heads"], "IntermediateSize": f["inner"],
                        "VocabularySize": f["vocabulary"] if spec["language"].get("Instructed") else 0,
                        "MaxPositions": f["positions"] if spec["language"].get("Instructed") else 0,
                        "CrossAttentionFrequency": f["frequency"], "LayerNormEpsilon": 1e-12},
            "QueryTokens": spec["queries"],
            "Preprocess": {"ImageSize": vision["image"]},
            "Language": spec["language"]},
        "images": IMAGES,
        "cases": cases,
    }


def main() -> None:
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    OUTPUT.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[1:] or MODELS:
        path = OUTPUT / f"{name}.json"
        reference = make(name, MODELS[name])
        path.write_text(json.dumps(reference, separators=(",", ":")) + "\n")
        greedy = [case["generated"][0]["ids"][0] for case in reference["cases"]]
        margins = [min(g["margin"] for case in reference["cases"] for g in case["generated"] if bool(g["scores"]) == beam)
                   for beam in (False, True)]
        print(f"{path.name}: {path.stat().st_size} bytes; least margins {margins[0]:.4f}, {margins[1]:.6f}; greedy {greedy}")


if __name__ == "__main__":
    main()
