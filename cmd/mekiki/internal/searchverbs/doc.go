// Package searchverbs has the verbs that search a library, and that measure searching: search, similar, lookup and eval. Each
// has a file of its name; hits.go shows what they find.
package searchverbs
