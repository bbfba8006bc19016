"""Writing the second stage as Hugging Face publishes BLIP-2 with a language model, in float16, and reading it back.

    python export_answers.py --output run --folder ../embed/builtin/answers

The folder leaves out vision_model.*: the vision encoder is frozen, and its tensors are equal to those of the first stage's
checkpoint, from which a reader takes them (with_vision). --whole writes them too, for a reader that knows no first stage.
"""

import argparse
import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

import answers
import language
import slots
from export import dump

QFORMER = (
    "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "hidden_act", "hidden_dropout_prob", "attention_probs_dropout_prob",
    "max_position_embeddings", "layer_norm_eps", "pad_token_id", "cross_attention_frequency", "encoder_hidden_size",
)
TEXT = (
    "vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "head_dim", "hidden_act",
    "max_position_embeddings", "rms_norm_eps", "tie_word_embeddings", "attention_bias", "mlp_bias", "bos_token_id", "eos_token_id", "pad_token_id",
)


def write(folder: Path, tensors: dict[str, torch.Tensor], config, tokenizer: Tokenizer, first: Path, whole: bool = False) -> None:
    """Writes model.safetensors, config.json, generation_config.json, the tokenizer, the preprocessor and the prompts.

    tensors are those of answers.Answerer in any type, config its language model's; first is the first stage's folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {n: t.detach().float().half().contiguous().clone() for n, t in tensors.items()}
    if whole:
        tensors |= {n: t for n, t in load_file(first / "model.safetensors").items() if n.startswith("vision_model.")}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    published = json.loads((first / "config.json").read_text())
    image = tokenizer.token_to_id(language.IMAGE)
    dump(folder / "config.json", {
        "architectures": ["Blip2ForConditionalGeneration"], "model_type": "blip-2", "torch_dtype": "float16", "initializer_range": 0.02,
        "image_text_hidden_size": published["image_text_hidden_size"], "num_query_tokens": slots.SLOTS, "image_token_index": image, "tie_word_embeddings": True,
        "vision_config": published["vision_config"],
        "qformer_config": {"model_type": "blip_2_qformer", **{k: published["qformer_config"][k] for k in QFORMER}, "use_qformer_text_input": False},
        "text_config": {"architectures": ["LlamaForCausalLM"], "model_type": "llama", **{k: getattr(config, k) for k in TEXT}, "rope_theta": 10000.0},
    })
    dump(folder / "generation_config.json", {"bos_token_id": language.BEGIN, "eos_token_id": language.END, "pad_token_id": language.PAD, "max_new_tokens": 30})
    (folder / "preprocessor_config.json").write_text((first / "preprocessor_config.json").read_text())
    dump(folder / "processor_config.json", {"processor_class": "Blip2Processor", "num_query_tokens": slots.SLOTS})
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    dump(folder / "tokenizer_config.json", {
        "tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "add_bos_token": True, "clean_up_tokenization_spaces": False,
        "model_max_length": config.max_position_embeddings, "extra_special_tokens": {"image_token": language.IMAGE},
    })
    dump(folder / "prompts.json", answers.PROMPTS)


def with_vision(folder: Path, first: Path) -> dict[str, torch.Tensor]:
    """The tensors of a folder, with the first stage's vision encoder where they are left out."""
    tensors = load_file(folder / "model.safetensors")
    if not any(n.startswith("vision_model.") for n in tensors):
        tensors |= {n: t for n, t in load_file(first / "model.safetensors").items() if n.startswith("vision_model.")}
    return tensors


def trained(settings: answers.Settings, stage: str = "picture") -> tuple[answers.Answerer, Tokenizer]:
    """The model as the masters of a run hold it, in float32."""
    tokenizer = answers.load_tokenizer(settings)
    model = answers.build(settings, tokenizer)
    folder = Path(settings.output)
    answers.load_part(model, folder / "text.pt", "language_model.")
    masters = torch.load(folder / f"{stage}.pt")["optimizer"]["masters"]
    own = dict(model.named_parameters())
    with torch.no_grad():
        for name, value in masters.items():
            if name.startswith("model."):
                own[name.removeprefix("model.")].copy_(value)
    return model.eval(), tokenizer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--output", default="run", help="the run's folder")
    parser.add_argument("--model", default="../embed/builtin/model", help="the first stage's checkpoint folder")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--whole", action="store_true", help="with the vision encoder's tensors")
    given = parser.parse_args()
    settings = answers.Settings(output=given.output, model=given.model)
    model, tokenizer = trained(settings)
    names = dict(model.named_parameters())
    write(given.folder, names, model.language_model.config, tokenizer, Path(given.model), given.whole)
    print(sum(f.stat().st_size for f in given.folder.iterdir()), "bytes")


if __name__ == "__main__":
    main()
