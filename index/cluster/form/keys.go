package form

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"strings"

	"mekiki/embed"
	"mekiki/index"
)

// The objects of a library. Records, kept, failures and searches are JSON.
const (
	StateKey        = "library.json"
	SequenceKey     = "sequence"
	RecordPrefix    = "records/"
	ContentPrefix   = "contents/"
	VectorPrefix    = "vectors/"
	TokenPrefix     = "tokens/"
	ThumbnailPrefix = "thumbnails/"
	KeptPrefix      = "kept/"
	FailurePrefix   = "failures/"
	SearchPrefix    = "searches/"
	CrewPrefix      = "crews/"
	OriginalPrefix  = "originals/"
)

// RecordKey names the record of an ID, so that keys are in order of IDs.
func RecordKey(id index.ID) string {
	name := fmt.Sprintf("%016x", uint64(id))
	return RecordPrefix + name[:12] + "/" + name + ".json"
}

// ContentKey names the object that says which record has a content.
func ContentKey(hash index.Hash) string { return ContentPrefix + spread(hash.String()) }

// ThumbnailKey names the thumbnail of a record, whose content it is of.
func ThumbnailKey(record *Record) string {
	return ThumbnailPrefix + spread(record.Hash.String()) + "-" + record.Thumbnail
}

// VectorKey and TokenKey name what a model made of a content, by the name that the record
// has for it. What is there never changes.
func VectorKey(space embed.Space, hash index.Hash, name string) string {
	return VectorPrefix + short(space.Fingerprint) + "/" + spread(hash.String()) + "-" + name
}

// TokenKey names the image tokens of a content, as [VectorKey] does its vectors.
func TokenKey(space embed.Space, hash index.Hash, name string) string {
	return TokenPrefix + short(space.Fingerprint) + "/" + spread(hash.String()) + "-" + name
}

// KeptKey names what is kept of a content whose last path was as given. A listing of the
// keys is enough to find it by either.
func KeptKey(hash index.Hash, path string) string {
	return KeptPrefix + hash.String() + "-" + Digest(path)
}

// FailureKey names what is known of a path that failed.
func FailureKey(path string) string { return FailurePrefix + spread(Digest(path)) }

// SearchKey names a saved search; names that differ by case alone are one.
func SearchKey(name string) string { return SearchPrefix + Digest(strings.ToLower(name)) }

// Digest stands for a text in a key.
func Digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:16])
}

// spread puts a name into one of 256 folders: servers over plain folders like few entries.
func spread(name string) string { return name[:2] + "/" + name }

// short is the part of a fingerprint that stands in keys. Fingerprints of tests may have
// any characters.
func short(fingerprint string) string {
	if len(fingerprint) >= 16 && strings.Trim(fingerprint, "0123456789abcdef") == "" {
		return fingerprint[:16]
	}
	return Digest(fingerprint)[:16]
}

// NewMark gives what is in the names of all objects that one write makes, and of no other:
// whoever deletes what a record had can never meet what another write has made of the same content.
func NewMark() string { return strings.ToLower(rand.Text()[:13]) }

// Name names some bytes that a write with a mark makes: their CRC-32C in hexadecimal, their
// number, and the mark.
func Name(data []byte, mark string) string {
	return fmt.Sprintf("%08x%x-%s", crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli)), len(data), mark)
}

// VersionOf names what a record says, by the bytes of its object: other bytes have another name.
func VersionOf(encoded []byte) string {
	sum := sha256.Sum256(encoded)
	return hex.EncodeToString(sum[:12])
}

// Unchanging reports whether the object of a key never changes, so that a cache may keep it.
func Unchanging(key string) bool {
	return strings.HasPrefix(key, VectorPrefix) || strings.HasPrefix(key, TokenPrefix) || strings.HasPrefix(key, ThumbnailPrefix)
}
