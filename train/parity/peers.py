"""Measures other ways to run BLIP-2 on a processor beside Mekiki, in turn, in one run.

Usage: python peers.py shorten FOLDER SHORT
       python peers.py prepare FOLDER
       python peers.py measure|errors FOLDER --model MODEL [--mekiki PROGRAM] [--turns 3] [--cache FOLDER] [--only-quantized]

FOLDER is that of `full_size.py make`. `shorten` makes another, with 8 of its 39 vision layers and 4 of 12 of the Q-Former, for
machines with less time or memory. `prepare` quantises the model with nncf for OpenVINO (transformer preset, two samples)
and keeps it in FOLDER/openvino. `measure` measures an image, from 224 x 224 pixels to parts, with

    transformers in float32 and bfloat16, torch.ao's dynamic quantisation (int8), OpenVINO int8, Mekiki

on two threads: the least and the median of all runs, of the clock and of the processor time of all threads. Each is a process
of its own, and they take turns. `errors` compares what they compute. MODEL is FOLDER/checkpoint as `mekiki import` compiled it;
Mekiki's figures come from `mekiki bench`: `image` from a picture of 1024 x 768 pixels, with its resizing, and `image_of_model_size` from one of 224 x 224, as the
others, with making floats of its bytes. Errors are those of 16 pictures: the cosine of each part with that of transformers in
float32, and the logits of matching each picture with each text.

Needs requirements.txt, pillow, openvino and nncf, and 12 GB of memory; of a shortened model, 4 GB.
"""

import argparse
import json
import multiprocessing
import pathlib
import shutil
import statistics
import subprocess
import tempfile
import time

import numpy as np

THREADS = 2
PICTURES = 16
RUNS = 3  # of each peer in each turn
TEXTS = ["word900 word901 word902 word903 word904 word905", "word17 word1717", "word20000 word3 word40 word500 word6000", "word7",
         "word11 word222 word3333 word44", "word8 word88 word888 word8888 word18888 word28888 word9", "word123 word1234 word12345", "word25000 word26000"]
MEAN = np.array([0.48145466, 0.4578275, 0.40821073], dtype=np.float32)
DEVIATION = np.array([0.26862954, 0.26130258, 0.27577711], dtype=np.float32)


def pictures() -> np.ndarray:
    """Drawn pictures [PICTURES 224 224 3] of 8 bits: waves, a gradient and noise, each of its own colours."""
    random = np.random.default_rng(1)
    down, across = np.mgrid[0:224, 0:224] / 224
    result = []
    for i in range(PICTURES):
        waves = [np.sin(2 * np.pi * (across * random.uniform(1, 9) + down * random.uniform(1, 9)) + random.uniform(0, 6)) for _ in range(3)]
        picture = 128 + 60 * np.stack(waves, -1) + 50 * (down if i % 2 else across)[..., None] * random.uniform(-1, 1, 3)
        result.append(picture + random.normal(0, 12, picture.shape))
    return np.clip(result, 0, 255).astype(np.uint8)


def pixels(picture: np.ndarray) -> np.ndarray:
    """A picture as models read it: [1 3 224 224]."""
    return ((picture.astype(np.float32) / 255 - MEAN) / DEVIATION).transpose(2, 0, 1)[None]


def token_ids(text: str) -> list[int]:
    """Tokens of a text in the vocabulary of full_size.py, where word0 comes after 104 special tokens."""
    return [101] + [104 + int(word.removeprefix("word")) for word in text.split()] + [102]


def load(folder: pathlib.Path, dtype: str):
    """The checkpoint in transformers."""
    import torch
    from transformers import Blip2ForImageTextRetrieval

    torch.set_num_threads(THREADS)
    return Blip2ForImageTextRetrieval.from_pretrained(folder / "checkpoint", dtype=getattr(torch, dtype)).eval()


def modules(model):
    """Two modules of a model: pixels to parts, and pixels, token ids and their mask to matching logits."""
    import torch

    class Parts(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, x):
            tokens = self.model.vision_model(x).last_hidden_state
            states = self.model.qformer(self.model.query_tokens, encoder_hidden_states=tokens).last_hidden_state
            return torch.nn.functional.normalize(self.model.vision_projection(states.to(x.dtype)), dim=-1)

    class Match(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, x, ids, mask):
            tokens = self.model.vision_model(x).last_hidden_state
            queries = self.model.query_tokens
            both = torch.cat([torch.ones(1, queries.shape[1], dtype=torch.long), mask], dim=1)
            embedded = self.model.embeddings(input_ids=ids, query_embeds=queries)
            states = self.model.qformer(embedded, query_length=queries.shape[1], attention_mask=both, encoder_hidden_states=tokens).last_hidden_state
            return self.model.itm_head(states[:, : queries.shape[1]].to(x.dtype)).mean(dim=1)

    return Parts(), Match()


def torch_peer(folder: pathlib.Path, kind: str):
    """Functions of a picture's pixels, and of pixels and token ids."""
    import torch

    model = load(folder, "bfloat16" if kind == "bfloat16" else "float32")
    if kind == "int8":
        model = torch.ao.quantization.quantize_dynamic(model, {torch.nn.Linear}, dtype=torch.qint8)
    parts, match = modules(model)
    dtype = torch.bfloat16 if kind == "bfloat16" else torch.float32

    def run(module, x, *others):
        with torch.no_grad():
            return module(torch.from_numpy(x).to(dtype), *others).float().numpy()

    def matching(x, ids):
        ids = torch.tensor([ids])
        return run(match, x, ids, torch.ones_like(ids))

    return lambda x: run(parts, x), matching


def openvino_peer(folder: pathlib.Path, _: str):
    import openvino

    core = openvino.Core()
    settings = {"INFERENCE_NUM_THREADS": THREADS, "PERFORMANCE_HINT": "LATENCY"}
    compiled = core.compile_model(folder / "openvino" / "parts.xml", "CPU", settings)
    return lambda x: compiled([x])[0], None


PEERS = {
    "transformers float32": (torch_peer, "float32"),
    "transformers bfloat16": (torch_peer, "bfloat16"),
    "torch dynamic int8": (torch_peer, "int8"),
    "OpenVINO int8": (openvino_peer, "int8"),
}


def serve(connection, folder: pathlib.Path, name: str) -> None:
    """One peer's process: the answer to None is its errors' material, to a number the times of so many runs."""
    make, kind = PEERS[name]
    parts, match = make(folder, kind)
    given = [pixels(picture) for picture in pictures()]
    while True:
        try:
            runs = connection.recv()
        except EOFError:
            return
        if runs is None:
            logits = [[match(x, token_ids(text))[0] for text in TEXTS] for x in given] if match else None
            connection.send((np.concatenate([parts(x) for x in given]), logits))
            continue
        times = []
        for i in range(runs):
            clock, processor = time.perf_counter(), time.process_time()
            parts(given[i % len(given)])
            times.append((time.perf_counter() - clock, time.process_time() - processor))
        connection.send(times)


class Peer:
    def __init__(self, folder: pathlib.Path, name: str):
        self.times = []
        context = multiprocessing.get_context("spawn")
        self.connection, other = context.Pipe()
        self.process = context.Process(target=serve, args=(other, folder, name), daemon=True)
        self.process.start()

    def ask(self, what):
        self.connection.send(what)
        return self.connection.recv()

    def turn(self) -> None:
        self.times += self.ask(RUNS)


class Mekiki:
    """The program itself. Its bench gives a least and a median of each turn."""

    def __init__(self, arguments):
        self.arguments, self.benches = arguments, []

    def call(self, *command: str) -> str:
        whole = [self.arguments.mekiki, *command, "--model", self.arguments.model, "--json"]
        if self.arguments.cache:
            whole += ["--cache", self.arguments.cache]
        return subprocess.run(whole, check=True, capture_output=True, text=True).stdout

    def turn(self) -> None:
        self.benches.append(json.loads(self.call("bench", "--least", "5s"))["results"][0])

    def errors(self):
        from PIL import Image

        with tempfile.TemporaryDirectory() as folder:
            files = []
            for i, picture in enumerate(pictures()):
                files.append(f"{folder}/{i}.png")
                Image.fromarray(picture).save(files[-1])
            self.call("embed", *files, "--output", f"{folder}/parts.npy")
            parts = np.load(f"{folder}/parts.npy")
            logits = [[pair["itm_logits"] for pair in json.loads(self.call("match", file, *TEXTS))["matches"]] for file in files]
        return parts, logits


def errors(exact, other) -> str:
    cosines = (exact[0] * other[0]).sum(-1) / np.linalg.norm(other[0], axis=-1) / np.linalg.norm(exact[0], axis=-1)
    text = f"parts {cosines.mean():.5f} / {cosines.min():.5f}"
    if exact[1] is not None and other[1] is not None:
        logits, others = np.array(exact[1]), np.array(other[1])
        margins, other_margins = (each[..., 1] - each[..., 0] for each in (logits, others))
        text += f", {logits.size} logits off by at most {np.abs(logits - others).max():.4f}, root mean square {np.sqrt(((logits - others) ** 2).mean()):.4f}"
        text += f", margins {np.sqrt(((margins - other_margins) ** 2).mean()):.4f}, of a spread of {np.ptp(margins):.3f}, deviation {margins.std():.3f}"
    return text


def prepare(folder: pathlib.Path) -> None:
    import nncf
    import openvino
    import torch

    parts, _ = modules(load(folder, "float32"))
    with torch.no_grad():
        model = openvino.convert_model(parts, example_input=torch.zeros(1, 3, 224, 224), input=[1, 3, 224, 224])
    samples = nncf.Dataset([pixels(picture) for picture in pictures()[:2]])
    model = nncf.quantize(model, samples, subset_size=2, model_type=nncf.ModelType.TRANSFORMER)
    openvino.save_model(model, folder / "openvino" / "parts.xml", compress_to_fp16=False)


def shorten(folder: pathlib.Path, short: pathlib.Path) -> None:
    import torch
    from transformers import AutoConfig, Blip2ForImageTextRetrieval

    config = AutoConfig.from_pretrained(folder / "checkpoint")
    config.vision_config.num_hidden_layers, config.qformer_config.num_hidden_layers = 8, 4
    model = Blip2ForImageTextRetrieval.from_pretrained(folder / "checkpoint", config=config, dtype=torch.float32)
    model.save_pretrained(short / "checkpoint")
    for name in ("vocab.txt", "preprocessor_config.json"):
        shutil.copy(folder / "checkpoint" / name, short / "checkpoint" / name)


def measure(arguments) -> None:
    racers = {}
    for name in PEERS:
        if not (arguments.only_quantized and kind_is_float(name)):
            racers[name] = Peer(arguments.folder, name)
            racers[name].ask(1)  # which also waits until it is ready
    racers["Mekiki int8"] = Mekiki(arguments)
    for turn in range(arguments.turns):
        for racer in racers.values():
            racer.turn()
        print(f"turn {turn + 1} of {arguments.turns}", flush=True)
        report(racers)


def compare(arguments) -> None:
    exact = None
    for name in PEERS:
        if not (arguments.only_quantized and name == "transformers bfloat16"):
            peer = Peer(arguments.folder, name)
            given = peer.ask(None)
            exact = exact or given
            peer.process.terminate()
            print(f"{name}: {errors(exact, given)}", flush=True)
    print(f"Mekiki int8: {errors(exact, Mekiki(arguments).errors())}", flush=True)


def kind_is_float(name: str) -> bool:
    return "float" in name


def report(racers) -> None:
    for name, racer in racers.items():
        if isinstance(racer, Mekiki):
            for stage in ("image", "image_of_model_size", "text", "parts", "match", "matches", "matches_of_one_image"):
                each = [bench[stage] for bench in racer.benches]
                print(f"  {name}, {stage}: clock least {min(e['least_seconds'] for e in each):.4f} median "
                      f"{statistics.median(e['median_seconds'] for e in each):.4f}, processor least {min(e['processor_seconds'] for e in each):.4f} "
                      f"median {statistics.median(e['processor_seconds'] for e in each):.4f} s", flush=True)
            continue
        clock, processor = zip(*racer.times)
        print(f"  {name}, image: clock least {min(clock):.4f} median {statistics.median(clock):.4f}, processor least {min(processor):.4f} "
              f"median {statistics.median(processor):.4f} s", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["shorten", "prepare", "measure", "errors"])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("short", nargs="?", type=pathlib.Path)
    parser.add_argument("--model")
    parser.add_argument("--mekiki", default="mekiki")
    parser.add_argument("--cache")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--only-quantized", action="store_true", help="leave out float32 and bfloat16, for less memory and time")
    arguments = parser.parse_args()
    if arguments.what == "shorten":
        shorten(arguments.folder, arguments.short)
    elif arguments.what == "prepare":
        prepare(arguments.folder)
    elif arguments.what == "errors":
        compare(arguments)
    else:
        measure(arguments)


if __name__ == "__main__":
    main()
