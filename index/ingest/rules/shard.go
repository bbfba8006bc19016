package rules

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// Shard is one of several parts of all files, for machines that index the same folders together: each file is in one of them,
// by its path. The zero Shard has all files.
type Shard struct {
	// Number is from 1 to Of.
	Number, Of int
}

// ParseShard reads what [Shard.String] gives, such as "2/8".
func ParseShard(text string) (Shard, error) {
	number, of, ok := strings.Cut(text, "/")
	s := Shard{}
	var err1, err2 error
	s.Number, err1 = strconv.Atoi(number)
	s.Of, err2 = strconv.Atoi(of)
	if !ok || err1 != nil || err2 != nil || s.Number < 1 || s.Number > s.Of || s.Of > maximumShards {
		return Shard{}, fmt.Errorf("%q is no shard: write the number of this one and how many there are, at most %d, as in 2/8", text, maximumShards)
	}
	return s, nil
}

// String gives "2/8", or "" for the zero Shard.
func (s Shard) String() string {
	if s.Of == 0 {
		return ""
	}
	return fmt.Sprintf("%d/%d", s.Number, s.Of)
}

// Set and Type make it a flag of a command.
func (s *Shard) Set(text string) (err error) {
	*s, err = ParseShard(text)
	return err
}

// Type names what the flag takes.
func (s *Shard) Type() string { return "K/N" }

// Has reports whether a file is in the shard. All machines have to see it at the same path.
func (s Shard) Has(path string) bool {
	if s.Of < 2 {
		return true
	}
	sum := sha256.Sum256([]byte(path))
	return binary.BigEndian.Uint64(sum[:])%uint64(s.Of) == uint64(s.Number-1)
}
