// Package packs keeps many small pieces in one object of a store, and reads some of them
// without the others. A batch of pictures has thousands of pieces (vectors, image tokens,
// thumbnails), and a store takes some milliseconds and a fraction of a cent for each object:
//
//	pack   header | table of names, places | piece | piece | …
//
// Who knows the place of a piece reads it by one range of bytes; who knows only the pack reads
// the table first, by another one, usually of 64 KiB. Each piece has a checksum over its name
// and bytes, so that a wrong place is not taken for a piece.
//
//	var builder packs.Builder
//	builder.Add("tokens/ab12", tokens)
//	written, err := builder.Write(ctx, store, "packs/")
//	pieces, err := packs.NewReader(store, cache).Read(ctx, []packs.Place{written.Places["tokens/ab12"]})
package packs
