// Package decode chooses the tokens that a language model writes, by one loop
// for captions and answers: greedy, beam search as Hugging Face transformers
// does it, and nucleus sampling.
//
//	first logits ─┬─ control ─ choose ─┬─ finished ─────────────► ranked hypotheses
//	              │  repetition, end   └─ live ─ Gather ─ Step ─┐
//	              └───────────────────── next logits ◄──────────┘
//
// A [Model] keeps a row for each live hypothesis; a [Search] says what the loop has
// to know of it, and [Options] how texts are chosen.
package decode
