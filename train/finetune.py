"""Fine-tunes the Q-Former of a published checkpoint on one's own captions; the vision encoder stays frozen.

    python finetune.py --model blip2-itm-vit-g --annotations captions.json --images photos --output my-model

The checkpoint is a Hugging Face folder (safetensors, vocab.txt) of Blip2ForImageTextRetrieval, or the built-in one.
Annotations are in Karpathy's layout: {"images": [{"filename", "filepath"?, "split", "sentences": [{"raw"}, ...]}, ...]};
images whose split is "train" (or all, when none is) are learned from. ITC and ITM are trained; ITG too when the
checkpoint holds the language-model head. Losses go to standard output; run again to continue from --output.
"""

import argparse
import json
import random
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file
from torch.nn import functional as F
from transformers import Blip2Config

import export
import model as models
from train import contrastive_loss, generation_loss, matching_loss
from vocabulary import Tokenizer


def load(folder: Path):
    """The model in float32, its tokenizer, its image side, and whether it has a language-model head."""
    fields = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config = Blip2Config(**{k: v for k, v in fields.items() if k not in ("architectures", "torch_dtype", "dtype", "model_type")})
    config.image_token_index = None  # the text path takes plain BERT ids
    config.qformer_config.encoder_hidden_size = config.vision_config.hidden_size
    for part in (config, config.vision_config, config.qformer_config):
        part._attn_implementation = "eager"
    tensors = {}
    for path in sorted(folder.glob("*.safetensors")):
        tensors |= load_file(path)
    if not tensors:
        raise SystemExit(f"{folder}: no .safetensors file; download the checkpoint in that format")
    with torch.device("meta"):
        model = models.SmallBlip2(config)
    model = model.to_empty(device="cpu")
    aliases = {n: n.replace("vision_proj.", "vision_projection.").replace("text_proj.", "text_projection.") for n in tensors}
    tensors = {aliases[n]: t.float() for n, t in tensors.items()}
    tensors.setdefault("temp", torch.tensor(0.07))
    missing = model.load_state_dict(tensors, strict=False).missing_keys
    has_head = not any(n.startswith("cls.") for n in missing)
    left = [n for n in missing if not n.startswith("cls.") and not n.endswith("position_ids")]
    if left:
        raise SystemExit(f"{folder}: the checkpoint lacks {left[:3]} (of {len(left)}); is it an image-text-matching one?")
    positions = model.embeddings.position_ids
    positions.copy_(torch.arange(positions.shape[-1]).expand_as(positions))
    tokenizer = Tokenizer((folder / "vocab.txt").read_text(encoding="utf-8").splitlines())
    return model, tokenizer, config.vision_config.image_size, has_head


class Captions(torch.utils.data.Dataset):
    """One image and one of its captions, at random, an item."""

    def __init__(self, annotations: Path, images: Path, side: int, seed: int):
        entries = json.loads(annotations.read_text(encoding="utf-8"))["images"]
        chosen = [e for e in entries if e.get("split") == "train"] or entries
        self.entries, self.images, self.side, self.seed = chosen, images, side, seed

    def __len__(self):
        return len(self.entries)

    def __getitem__(self, index: int):
        entry = self.entries[index]
        path = self.images / entry.get("filepath", "") / entry["filename"]
        image = Image.open(path).convert("RGB").resize((self.side, self.side), Image.BICUBIC)
        two = random.sample(entry["sentences"], 2) if len(entry["sentences"]) > 1 else entry["sentences"] * 2
        return np.asarray(image), two[0]["raw"], two[1]["raw"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--annotations", type=Path, required=True)
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=1e-5)
    parser.add_argument("--text-length", type=int, default=32)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    torch.manual_seed(given.seed)
    random.seed(given.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    started = given.output if (given.output / "model.safetensors").exists() else given.model
    model, tokenizer, side, has_head = load(started)
    model.to(device).train()
    if not has_head:
        print("the checkpoint has no language-model head: ITG is left out")
        del model.cls
    for parameter in model.vision_model.parameters():
        parameter.requires_grad_(False)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=given.rate, weight_decay=0.05)
    data = Captions(given.annotations, given.images, side, given.seed)
    collate = lambda items: (torch.from_numpy(np.stack([i[0] for i in items])), [i[1] for i in items], [i[2] for i in items])
    batches = torch.utils.data.DataLoader(data, given.batch, shuffle=True, drop_last=len(data) > given.batch, num_workers=given.workers, collate_fn=collate)
    total, step = given.epochs * len(batches), 0
    every = torch.arange(model.start + 1, device=device)
    for epoch in range(given.epochs):
        for images, first, second in batches:
            for group in optimizer.param_groups:
                group["lr"] = given.rate * min(1.0, (step + 1) / 50, max(0.02, 1 - step / total))
            with torch.no_grad():
                tokens = model.image_tokens(models.normalise(images.to(device)))
            ids = tokenizer.batch(first, given.text_length).to(device)
            both = tokenizer.batch(first + second, given.text_length).to(device)
            none = tokenizer.batch(second + [""] * len(second), given.text_length).to(device)
            queries, text_out = model.queries_and_causal_text(tokens, ids)
            temperature = model.temp.clamp(0.01, 0.5)
            itc, similarity = contrastive_loss(model.image_parts(queries), model.text_vectors(both), temperature)
            itm, _, _ = matching_loss(model, tokens, ids, none, similarity, temperature.detach(), len(images))
            itg = generation_loss(model, text_out, ids, every, every) if has_head else torch.zeros((), device=device)
            optimizer.zero_grad()
            (itc + itm + itg).backward()
            torch.nn.utils.clip_grad_norm_((p for p in model.parameters() if p.requires_grad), 1.0)
            optimizer.step()
            step += 1
            if step % 10 == 0 or step == total:
                print(json.dumps({"epoch": epoch, "step": step, "of": total, "itc": round(itc.item(), 4), "itm": round(itm.item(), 4), "itg": round(itg.item(), 4)}), flush=True)
        export.write(given.output, model, tokenizer.vocabulary)


if __name__ == "__main__":
    main()
