"""Makes a random checkpoint at the published ViT-g sizes, and its reference.

Usage: python full_size.py make FOLDER
       python full_size.py measure FOLDER

The first writes FOLDER/checkpoint (4.69 GB, as transformers saves it) and
FOLDER/reference.json, which `go test -run FullSize ./embed/blip2` compares with.
The second prints how fast transformers is on two threads with that checkpoint.
Nothing of this is committed.
"""

import json
import pathlib
import resource
import sys
import time

import torch
from transformers import Blip2ForImageTextRetrieval

import reference


def published_vocabulary(size: int) -> str:
    special = ["[PAD]", *(f"[unused{i}]" for i in range(99)), "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    return "\n".join(special + [f"word{i}" for i in range(size - 1 - len(special))]) + "\n"


def best(run, times: int) -> dict:
    """The least wall and processor time of a run in milliseconds, after one to warm up."""
    run()
    walls, processors = [], []
    for _ in range(times):
        wall, processor = time.perf_counter(), time.process_time()
        run()
        walls.append(time.perf_counter() - wall)
        processors.append(time.process_time() - processor)
    return {"ms": round(1000 * min(walls), 1), "processor_ms": round(1000 * min(processors), 1)}


@torch.no_grad()
def measure(model, spec: dict, dtype: torch.dtype) -> dict:
    """Times of one image, one text of 12 tokens, and one pair with its image tokens at hand."""
    pixels = torch.rand(1, 3, spec["vision"]["image"], spec["vision"]["image"]).to(dtype)
    ids = torch.randint(1000, 30000, (1, 12))
    mask = torch.ones_like(ids)
    queries = model.query_tokens

    def image():
        tokens = model.vision_model(pixels).last_hidden_state
        states = model.qformer(queries, encoder_hidden_states=tokens).last_hidden_state
        return torch.nn.functional.normalize(model.vision_projection(states.to(dtype)), dim=-1)

    def text():
        states = model.qformer(model.embeddings(input_ids=ids), query_length=0, attention_mask=mask).last_hidden_state
        return torch.nn.functional.normalize(model.text_projection(states[:, 0].to(dtype)), dim=-1)

    tokens = model.vision_model(pixels).last_hidden_state

    def pair():
        both = torch.cat([torch.ones(1, spec["queries"], dtype=torch.long), mask], dim=1)
        states = model.qformer(model.embeddings(input_ids=ids, query_embeds=queries), query_length=spec["queries"],
                               attention_mask=both, encoder_hidden_states=tokens).last_hidden_state
        return model.itm_head(states[:, :spec["queries"]].to(dtype)).mean(dim=1)

    return {"image": best(image, 3), "text": best(text, 10), "pair": best(pair, 5)}


def make(folder: pathlib.Path) -> None:
    spec = reference.PUBLISHED
    model = reference.huggingface(spec)
    checkpoint = folder / "checkpoint"
    model.save_pretrained(checkpoint)
    (checkpoint / "vocab.txt").write_text(published_vocabulary(spec["former"]["vocabulary"]))
    (checkpoint / "preprocessor_config.json").write_text(json.dumps({
        "size": {"height": 224, "width": 224}, "rescale_factor": 1 / 255, "resample": 3,
        "image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711]}))
    (folder / "reference.json").write_text(json.dumps(reference.make("published", spec, model)))


def main() -> None:
    torch.set_num_threads(2)
    folder = pathlib.Path(sys.argv[2])
    if sys.argv[1] == "make":
        make(folder)
        return
    for dtype in (torch.float32, torch.bfloat16):
        model = Blip2ForImageTextRetrieval.from_pretrained(folder / "checkpoint", dtype=dtype).eval()
        print(dtype, measure(model, reference.PUBLISHED, dtype), "peak memory",
              resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, "MiB", flush=True)
        del model


if __name__ == "__main__":
    main()
