"""Writing a checkpoint folder as Hugging Face publishes BLIP-2, in float16."""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file

from model import MEAN, STANDARD_DEVIATION, SmallBlip2


def tensors_of(model: SmallBlip2, masters: dict[str, torch.Tensor] | None, seen: torch.Tensor | None) -> dict[str, torch.Tensor]:
    """The tensors under their published names, float16, contiguous."""
    state = {n: p for n, p in model.state_dict().items() if not n.endswith("position_ids")}
    if masters:
        state.update({n: m for n, m in masters.items() if n in state})
    if seen is not None:  # tokens that no caption used were left out of the softmax: say so in the bias
        bias = state["cls.predictions.bias"].detach().float().clone()
        bias[~seen.to(bias.device)] = -30.0
        state["cls.predictions.bias"] = bias
    return {n: t.detach().to("cpu", torch.float32).half().contiguous().clone() for n, t in state.items()}


def write(folder: Path, model: SmallBlip2, vocabulary: list[str], masters=None, seen=None, card: str | None = None) -> None:
    """Writes model.safetensors, config.json, preprocessor_config.json, vocab.txt and tokenizer_config.json."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors_of(model, masters, seen), folder / "model.safetensors", metadata={"format": "pt"})
    config = model.config
    keep_vision = ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "image_size", "patch_size", "hidden_act", "layer_norm_eps", "attention_dropout", "qkv_bias")
    keep_qformer = (
        "vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "hidden_act", "hidden_dropout_prob", "attention_probs_dropout_prob",
        "max_position_embeddings", "layer_norm_eps", "pad_token_id", "cross_attention_frequency", "encoder_hidden_size", "use_qformer_text_input",
    )
    dump(folder / "config.json", {
        "architectures": ["Blip2ForImageTextRetrieval"], "model_type": "blip-2", "torch_dtype": "float16", "initializer_range": 0.02,
        "image_text_hidden_size": config.image_text_hidden_size, "num_query_tokens": config.num_query_tokens, "image_token_index": None,
        "vision_config": {"model_type": "blip_2_vision_model", **{k: getattr(config.vision_config, k) for k in keep_vision}},
        "qformer_config": {"model_type": "blip_2_qformer", **{k: getattr(config.qformer_config, k) for k in keep_qformer}},
        "text_config": {"model_type": "opt"},
    })
    side = config.vision_config.image_size
    dump(folder / "preprocessor_config.json", {
        "image_processor_type": "BlipImageProcessor", "processor_class": "Blip2Processor", "do_convert_rgb": True, "do_resize": True, "size": {"height": side, "width": side},
        "resample": 3, "do_rescale": True, "rescale_factor": 0.00392156862745098, "do_normalize": True, "image_mean": list(MEAN), "image_std": list(STANDARD_DEVIATION),
    })
    dump(folder / "tokenizer_config.json", {
        "tokenizer_class": "BertTokenizer", "do_lower_case": True, "strip_accents": None, "tokenize_chinese_chars": True, "model_max_length": config.qformer_config.max_position_embeddings,
        "unk_token": "[UNK]", "sep_token": "[SEP]", "pad_token": "[PAD]", "cls_token": "[CLS]", "mask_token": "[MASK]", "bos_token": "[DEC]",
    })
    (folder / "vocab.txt").write_text("".join(t + "\n" for t in vocabulary), encoding="utf-8")
    if card:
        (folder / "README.md").write_text(card, encoding="utf-8")


def dump(path: Path, value) -> None:
    """JSON with a final newline."""
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
