"""Prints how fast transformers is with a language model of published size and random weights, on two threads.

Usage: python language_speed.py flan-t5-xl|opt-2.7b|smollm2-135m [float32|bfloat16]

The least wall and processor times of a prompt of 44 positions and of the tokens after it, as
`MEKIKI_FULL_SIZE_LANGUAGE="flan-t5-xl int4" go test -v -run FullSize ./embed/language` measures them.
"""

import sys
import time

import torch
import transformers

PROMPT, TOKENS, ROUNDS = 44, 6, 2


def build(name: str, dtype: torch.dtype):
    torch.set_default_dtype(dtype)
    if name == "flan-t5-xl":
        config = transformers.T5Config(
            d_model=2048, d_kv=64, d_ff=5120, num_heads=32, num_layers=24, num_decoder_layers=24, vocab_size=32128,
            feed_forward_proj="gated-gelu", tie_word_embeddings=False)
        kind = transformers.T5ForConditionalGeneration
    elif name == "opt-2.7b":
        config = transformers.OPTConfig(hidden_size=2560, num_hidden_layers=32, num_attention_heads=32, ffn_dim=10240,
                                        vocab_size=50304, word_embed_proj_dim=2560)
        kind = transformers.OPTForCausalLM
    else:
        config = transformers.LlamaConfig(hidden_size=576, num_hidden_layers=30, num_attention_heads=9, num_key_value_heads=3,
                                          intermediate_size=1536, vocab_size=49152, tie_word_embeddings=True)
        kind = transformers.LlamaForCausalLM
    with torch.device("meta"):
        model = kind(config)
    model = model.to_empty(device="cpu").eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(0.01)  # the time of a product does not depend on its values
        for buffer in model.buffers():
            buffer.zero_()
    return model


class Least:
    def __init__(self):
        self.wall = self.used = float("inf")

    def time(self, run):
        wall, used = time.perf_counter(), time.process_time()
        result = run()
        self.wall, self.used = min(self.wall, time.perf_counter() - wall), min(self.used, time.process_time() - used)
        return result

    def __str__(self):
        return f"{1000 * self.wall:.1f} ms, {1000 * self.used:.1f} ms of processor time"


@torch.no_grad()
def main() -> None:
    name, dtype = sys.argv[1], getattr(torch, sys.argv[2] if len(sys.argv) > 2 else "bfloat16")
    torch.set_num_threads(2)
    model = build(name, dtype)
    prompt, token = Least(), Least()
    width = model.get_input_embeddings().weight.shape[1]
    embeddings = torch.rand(1, PROMPT, width, dtype=dtype)
    for _ in range(ROUNDS):
        if name == "flan-t5-xl":
            encoded = prompt.time(lambda: model.encoder(inputs_embeds=embeddings))
            step = lambda past: model(encoder_outputs=encoded, decoder_input_ids=torch.tensor([[0]]), past_key_values=past, use_cache=True)
            past = step(None).past_key_values  # which also computes the keys and values of what the encoder says
        else:
            past = prompt.time(lambda: model(inputs_embeds=embeddings, use_cache=True, logits_to_keep=1)).past_key_values
            step = lambda past: model(input_ids=torch.tensor([[5]]), past_key_values=past, use_cache=True)
        for _ in range(TOKENS):
            past = token.time(lambda: step(past)).past_key_values
    print(f"{name} {dtype}: a prompt of {PROMPT} positions: {prompt}")
    print(f"{name} {dtype}: a token: {token}, so {1 / token.wall:.1f} a second", flush=True)


if __name__ == "__main__":
    main()
