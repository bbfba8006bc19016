package settings

import (
	"fmt"
	"log/slog"

	"github.com/dustin/go-humanize"
)

// FileVariable is the environment variable that names the file.
const FileVariable = "MEKIKI_CLUSTER"

// Cluster is where a library on several machines lies.
type Cluster struct {
	Engine Engine `toml:"engine"`
	Store  Store  `toml:"store"`
	Cache  Cache  `toml:"cache"`
	// Path is the file that this was read from.
	Path string `toml:"-"`
	// SecretsInFile says that the file has keys that are not to be shown.
	SecretsInFile bool `toml:"-"`
}

// Engine is the engine of vectors, words and filters.
type Engine struct {
	// Addresses are those of some or all nodes, or of what balances between them, such as
	// http://node1:8080.
	Addresses []string `toml:"addresses"`
	APIKey    Secret   `toml:"api-key"`
	// CAFile has the certificates (PEM) to trust beside the system's.
	CAFile string `toml:"ca-file"`
	// Collection begins the names of the collections: a letter in upper case, then letters
	// and digits.
	Collection  string      `toml:"collection"`
	Consistency Consistency `toml:"consistency"`
	// Replication is how many nodes hold each image.
	Replication int `toml:"replication"`
	// Shards is the number of shards of a collection; 0: one for each node.
	Shards int `toml:"shards"`
	// Quantisation is how the engine keeps vectors in memory: none, rq, sq, bq or pq.
	Quantisation string `toml:"quantisation"`
	// Representatives is how many vectors of an image the engine keeps.
	Representatives int `toml:"representatives"`
}

// Consistency is how many of the nodes that hold an object have to acknowledge a write of it, or to answer a read.
type Consistency string

// The levels of consistency: one node, more than half of them, all.
const (
	ConsistencyOne    Consistency = "one"
	ConsistencyQuorum Consistency = "quorum"
	ConsistencyAll    Consistency = "all"
)

// Store is a bucket of an S3-compatible store.
type Store struct {
	// Address is that of the store, such as https://s3.example.com.
	Address string `toml:"address"`
	Bucket  string `toml:"bucket"`
	Region  string `toml:"region"`
	// Prefix begins every key; it is empty or ends with a slash.
	Prefix       string `toml:"prefix"`
	AccessKey    string `toml:"access-key"`
	SecretKey    Secret `toml:"secret-key"`
	SessionToken Secret `toml:"session-token"`
	// CAFile has the certificates (PEM) to trust beside the system's.
	CAFile string `toml:"ca-file"`
	// Addressing is where requests name the bucket: auto, path or host.
	Addressing string `toml:"addressing"`
}

// Cache is what this machine keeps of the store, to read it once.
type Cache struct {
	// Folder is where; empty: in the cache folder.
	Folder string `toml:"folder"`
	// Size is what all of it may take on disk; 0 keeps nothing.
	Size Size `toml:"size"`
}

// A Secret does not show itself in logs and errors.
type Secret string

// Reveal gives the secret.
func (s Secret) Reveal() string { return string(s) }

// String hides the secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "(secret)"
}

// GoString hides the secret.
func (s Secret) GoString() string { return s.String() }

// MarshalText hides the secret.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue hides the secret.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// A Size is a number of bytes; in the file a text such as "10 GiB".
type Size int64

// UnmarshalText reads a size.
func (s *Size) UnmarshalText(text []byte) error {
	bytes, err := humanize.ParseBytes(string(text))
	if err != nil || bytes > 1<<62 {
		return fmt.Errorf("%q is no size such as \"10 GiB\"", text)
	}
	*s = Size(bytes)
	return nil
}

// MarshalText writes a size.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// String gives a size as people write it.
func (s Size) String() string { return humanize.IBytes(uint64(max(0, s))) }
