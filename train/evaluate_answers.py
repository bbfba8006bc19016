"""Measures a second-stage checkpoint on a gallery's questions, from the files alone, in float32.

    python evaluate_answers.py --folder ../embed/builtin/answers --gallery ../embed/builtin/gallery --split test

The model answers from the pictures; the text-only baseline is the same language model with no picture before the question.
Intervals are 95 % bootstrap intervals over questions, 1,000 resamples. An answer is right when it is the expected text.
"""

import argparse
import json
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import Blip2Config, Blip2ForConditionalGeneration

import evaluate
import export_answers
from answers import PROMPTS


def load(folder: Path, first: Path) -> tuple[Blip2ForConditionalGeneration, Tokenizer]:
    """transformers' own model with the folder's tensors, in float32."""
    config = json.loads((folder / "config.json").read_text())
    model = Blip2ForConditionalGeneration(Blip2Config(**{k: v for k, v in config.items() if k not in ("architectures", "torch_dtype", "model_type")})).eval()
    tensors = {n: t.float() for n, t in export_answers.with_vision(folder, first).items()}
    missing, unexpected = model.load_state_dict(tensors, strict=False)
    left = [n for n in missing if not n.endswith(("position_ids", "lm_head.weight"))]
    if left or unexpected:
        raise ValueError(f"{folder}: missing {left}, unexpected {unexpected}")
    model.tie_weights()
    return model, Tokenizer.from_file(str(folder / "tokenizer.json"))


@torch.no_grad()
def query_outputs(model, pixels: torch.Tensor) -> torch.Tensor:
    """Pixels to what the language model reads of each picture [B,Q,H]."""
    image = model.vision_model(pixels).last_hidden_state
    out = model.qformer(query_embeds=model.query_tokens.expand(len(image), -1, -1), encoder_hidden_states=image)
    out = out.last_hidden_state if hasattr(out, "last_hidden_state") else out[0]
    return model.language_projection(out)


@torch.no_grad()
def answer(model, tokenizer: Tokenizer, prefixes: torch.Tensor | None, prompts: list[str], most: int = 10) -> list[str]:
    """Greedy texts behind pictures' vectors, or behind none; prompts of equal length go together."""
    texts, encoded = [""] * len(prompts), [tokenizer.encode(p).ids for p in prompts]
    by_length: dict[int, list[int]] = {}
    for i, ids in enumerate(encoded):
        by_length.setdefault(len(ids), []).append(i)
    for rows in by_length.values():
        for start in range(0, len(rows), 100):
            part = rows[start : start + 100]
            embeds = model.get_input_embeddings()(torch.tensor([encoded[i] for i in part]))
            if prefixes is not None:
                embeds = torch.cat([prefixes[part], embeds], 1)
            out = model.language_model.generate(inputs_embeds=embeds, attention_mask=torch.ones(embeds.shape[:2], dtype=torch.int64), max_new_tokens=most, do_sample=False, pad_token_id=2, eos_token_id=1)
            for i, ids in zip(part, out):
                texts[i] = tokenizer.decode(ids.tolist(), skip_special_tokens=True).strip()
    return texts


def table(annotations: list[dict], right: list[bool]) -> dict[str, list]:
    """Accuracy with interval and number, by sort, form and fact."""
    groups: dict[str, list[bool]] = {}
    for entry, ok in zip(annotations, right):
        held = entry.get("held_out_fact", False)
        names = ["all"] if not held else ["held-out facts"]
        if not held:
            names += [entry["question_type"], f"form {entry['form']}"]
            if entry["answer_type"] == "yes/no":
                names.append("any yes/no")
        for name in names:
            groups.setdefault(name, []).append(ok)
    return {name: [*evaluate.interval(values), len(values)] for name, values in sorted(groups.items())}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--model", type=Path, default=Path("../embed/builtin/model"), help="the first stage's checkpoint folder")
    parser.add_argument("--gallery", type=Path, required=True)
    parser.add_argument("--split", default="test", choices=("val", "test", "all"))
    parser.add_argument("--show", type=int, default=0, help="wrong answers to print")
    given = parser.parse_args()
    torch.set_num_threads(2)
    model, tokenizer = load(given.folder, given.model)
    made = json.loads((given.gallery / "questions.json").read_text())
    pairs = [(q, a) for q, a in zip(made["questions"], made["annotations"]) if given.split in ("all", q["split"])]
    images = sorted({q["image"] for q, _ in pairs})
    side = model.config.vision_config.image_size
    prefixes = torch.cat([query_outputs(model, evaluate.pixels([given.gallery / "images" / n for n in images[i : i + 64]], side)) for i in range(0, len(images), 64)])
    rows = torch.tensor([images.index(q["image"]) for q, _ in pairs])
    prompts = [PROMPTS["question"].format(q["question"]) for q, _ in pairs]
    wanted, annotations = [a["multiple_choice_answer"] for _, a in pairs], [a for _, a in pairs]
    seeing = answer(model, tokenizer, prefixes[rows], prompts)
    blind = answer(model, tokenizer, None, prompts)
    for name, texts in (("picture", seeing), ("text only", blind)):
        print(name)
        for group, figures in table(annotations, [t == w for t, w in zip(texts, wanted)]).items():
            print("  {:16} {:5} ({}-{}) of {}".format(group, *figures))
    wrong = [(q["image"], q["question"], w, t) for (q, _), w, t in zip(pairs, wanted, seeing) if t != w]
    for line in wrong[: given.show]:
        print(*line, sep=" | ")
    for name, text in zip(images[:8], answer(model, tokenizer, prefixes[:8], [""] * 8, 30)):
        print(name, "|", text)


if __name__ == "__main__":
    main()
