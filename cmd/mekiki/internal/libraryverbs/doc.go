// Package libraryverbs has the verbs that fill, show and look after a library: index, texts, status, check, compact, backup,
// restore, export, remove, remap and spaces. Each has a file of its name.
package libraryverbs
