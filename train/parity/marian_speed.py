"""Times transformers on a translation checkpoint as `go test ./embed/translate -bench .` times ours: eight tokens for six words.

Usage: python marian_speed.py CHECKPOINT [THREADS]
"""

import sys
import time

import torch
from transformers import MarianMTModel, MarianTokenizer

folder = sys.argv[1]
if len(sys.argv) > 2:
    torch.set_num_threads(int(sys.argv[2]))
tokenizer = MarianTokenizer.from_pretrained(folder)
for kind, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16), ("int8 dynamic", None)):
    model = MarianMTModel.from_pretrained(folder, dtype=dtype or torch.float32).eval()
    if dtype is None:
        model = torch.ao.quantization.quantize_dynamic(model, {torch.nn.Linear}, dtype=torch.qint8)
    ids = tokenizer("浜辺 に いる 二匹 の 犬", return_tensors="pt").input_ids
    for beams in (1, 6):
        times = []
        for run in range(22):
            if run == 2:
                used = time.process_time()
            begun = time.perf_counter()
            with torch.no_grad():
                model.generate(ids, num_beams=beams, min_new_tokens=8, max_new_tokens=8, do_sample=False)
            times.append(time.perf_counter() - begun)
        used = time.process_time() - used
        times.sort()
        print(f"{kind}, {beams} beams: median {1000 * times[len(times) // 2]:.1f} ms, least {1000 * times[0]:.1f} ms, "
              f"processor {1000 * used / 20:.1f} ms", flush=True)
