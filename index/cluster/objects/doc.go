// Package objects keeps bytes by key in an S3-compatible store. What [Store.Put] has
// acknowledged is durable there; what is read is verified, block by block:
//
//	object   header 40 bytes | block | checksum | block | checksum | …
//	block    64 KiB of the data; the last one what is left
//
// A checksum covers the key, the number of the block and its bytes (CRC-32C), so that no
// flipped bit, exchanged block or exchanged object is taken for what was written. Whatever
// may pass is tried again, a few times, with growing pauses.
//
//	store, err := objects.Open(settings.Store)
//	err = store.Put(ctx, "tokens/ab12", data)
//	part, err := store.Range(ctx, "tokens/ab12", 1<<20, 4096)
package objects
