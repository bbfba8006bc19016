// Package modelverbs has the verbs that get models and run them without a library: pull, import, models, embed, match,
// caption and bench. Each has a file of its name.
package modelverbs
