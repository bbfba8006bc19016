// Package lm runs compiled language models: it reads prompts, then writes texts token by token with the keys and values of
// what was read and written before.
//
//	model.go    an opened language model
//	texts.go    the texts that it is writing
//	layout.go   where its graphs take and give what
//	cache.go    keys and values
package lm
