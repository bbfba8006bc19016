// Package language describes language models as graphs, each architecture once, for any sizes: OPT, T5 and Llama, which stand
// behind BLIP-2's second stage, and Marian, which translates.
//
//	image states ── projection ──┐
//	                             ├─ embeddings ──► [encoder ─► keys, values] ──► decoder ──► logits of the next token
//	token ids ── embeddings.bin ─┘                                                     │ ▲
//	                                                                            keys and values, one buffer
//
// The decoder's graph serves for the prompt and for each token after it. It appends its keys and values to a buffer that is
// bound both as past and as present, so that nothing is copied, and gives the logits of the last position only.
//
// The mathematics follows Hugging Face transformers (OPTForCausalLM, T5ForConditionalGeneration, LlamaForCausalLM,
// MarianMTModel), whose
// names for tensors are used, after "language_model.".
package language
