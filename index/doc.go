// Package index is the contract of a library: what it knows of every image and
// text (a [Record]), how it is asked (a [Filter], a [KeywordQuery]), how it is
// changed (a [Batch]), and what can go wrong. It holds no disk and no engine.
// Package local implements it on one disk.
package index
