// Package marian makes models of Marian's translation checkpoints (OPUS-MT), as transformers' MarianMTModel has them: the
// graphs are package language's, the tokenizer is copied.
package marian
