package hub

import (
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"net/http"
	"os"
	"strings"
)

// Algorithm names a hash that servers publish.
type Algorithm string

// The hashes that are understood.
const (
	// SHA256 is published by Hugging Face for large files, in hexadecimal.
	SHA256 Algorithm = "sha256"
	// GitSHA1 is published by Hugging Face for small files: the name of the blob in Git, in hexadecimal.
	GitSHA1 Algorithm = "git-sha1"
	// MD5 is published by Google's storage, in base64.
	MD5 Algorithm = "md5"
	// CRC32C is published by Google's storage where MD5 is not, in base64. It finds damage, not malice.
	CRC32C Algorithm = "crc32c"
)

// Digest is the published hash of a file; the zero value stands for none.
type Digest struct {
	Algorithm Algorithm `json:"algorithm,omitempty"`
	Value     string    `json:"value,omitempty"`
}

// newHash returns the hash function for a file of the given size.
func (d Digest) newHash(size int64) hash.Hash {
	switch d.Algorithm {
	case SHA256:
		return sha256.New()
	case GitSHA1:
		sum := sha1.New()
		fmt.Fprintf(sum, "blob %d\x00", size)
		return sum
	case MD5:
		return md5.New()
	case CRC32C:
		return crc32.New(crc32.MakeTable(crc32.Castagnoli))
	}
	return nil
}

// encode writes a sum as the server would.
func (d Digest) encode(sum []byte) string {
	if d.Algorithm == MD5 || d.Algorithm == CRC32C {
		return base64.StdEncoding.EncodeToString(sum)
	}
	return hex.EncodeToString(sum)
}

// verify reads a file and compares its hash; it returns an error that wraps ErrHash when it differs. A file without a
// published hash passes.
func (d Digest) verify(ctx context.Context, path string, read func(count int64)) error {
	if d.Algorithm == "" {
		return nil
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	sum := d.newHash(info.Size())
	if sum == nil {
		return fmt.Errorf("%w: %q is not a known kind of hash", ErrHash, d.Algorithm)
	}
	buffer := make([]byte, 1<<20)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		count, err := file.Read(buffer)
		sum.Write(buffer[:count])
		read(int64(count))
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	if value := d.encode(sum.Sum(nil)); value != d.Value {
		return fmt.Errorf("%w: %s of the file is %s, published is %s", ErrHash, d.Algorithm, value, d.Value)
	}
	return nil
}

// digestOf finds the hash that a server publishes in the headers of a file.
func digestOf(header http.Header) Digest {
	linked := strings.Trim(strings.TrimPrefix(header.Get("X-Linked-Etag"), "W/"), `"`)
	if digest := hexDigest(linked); digest.Algorithm != "" {
		return digest
	}
	found := map[string]string{}
	for _, line := range header.Values("X-Goog-Hash") {
		for _, item := range strings.Split(line, ",") {
			if name, value, ok := strings.Cut(strings.TrimSpace(item), "="); ok {
				found[name] = value
			}
		}
	}
	for _, algorithm := range []Algorithm{MD5, CRC32C} {
		raw, err := base64.StdEncoding.DecodeString(found[string(algorithm)])
		if err == nil && len(raw) == (Digest{Algorithm: algorithm}).newHash(0).Size() {
			return Digest{Algorithm: algorithm, Value: found[string(algorithm)]}
		}
	}
	return Digest{}
}

// hexDigest tells the hashes of the Hugging Face hub apart by their length.
func hexDigest(value string) Digest {
	raw, err := hex.DecodeString(value)
	if err != nil {
		return Digest{}
	}
	value = strings.ToLower(value)
	switch len(raw) {
	case sha256.Size:
		return Digest{Algorithm: SHA256, Value: value}
	case sha1.Size:
		return Digest{Algorithm: GitSHA1, Value: value}
	}
	return Digest{}
}
