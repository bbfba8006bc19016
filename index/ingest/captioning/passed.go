package captioning

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"

	"mekiki/index"
)

// passed remembers the pictures for which nobody wrote a caption that fits, for one way of writing them, in a file that may
// be deleted at any time: they are described once more then. It is safe for concurrent use.
type passed struct {
	path   string
	way    string
	mutex  sync.Mutex
	hashes map[index.Hash]bool
	failed error
}

// openPassed reads what a file remembers of a way of writing captions. What another way passed is forgotten, and so are
// damaged lines. An empty path remembers in memory alone.
func openPassed(path string, d Describer) (*passed, error) {
	way := sha256.Sum256(fmt.Appendf(nil, "%s %s %t", d.Engine.Space().Fingerprint, d.Source, d.Writer != nil))
	p := &passed{path: path, way: hex.EncodeToString(way[:16]), hashes: map[index.Hash]bool{}}
	if path == "" {
		return p, nil
	}
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read which pictures have no caption that fits: %w", err)
	}
	defer file.Close()
	lines := bufio.NewScanner(io.LimitReader(file, maximumPassed))
	if !lines.Scan() || lines.Text() != p.way {
		return p, nil
	}
	for lines.Scan() {
		var hash index.Hash
		if len(lines.Bytes()) != hex.EncodedLen(len(hash)) {
			continue
		}
		if _, err := hex.Decode(hash[:], bytes.ToLower(lines.Bytes())); err == nil {
			p.hashes[hash] = true
		}
	}
	return p, nil
}

func (p *passed) has(hash index.Hash) bool {
	if p == nil {
		return false
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.hashes[hash]
}

// add remembers a picture. A file that cannot be written costs the memory of the next run alone.
func (p *passed) add(hash index.Hash) {
	if p == nil {
		return
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.hashes[hash] {
		return
	}
	first := len(p.hashes) == 0
	p.hashes[hash] = true
	if p.path == "" || p.failed != nil {
		return
	}
	flags := os.O_WRONLY | os.O_CREATE | os.O_APPEND
	if first {
		flags = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	file, err := os.OpenFile(p.path, flags, 0o600)
	if err == nil {
		if first {
			_, err = fmt.Fprintln(file, p.way)
		}
		if err == nil {
			_, err = fmt.Fprintln(file, hash)
		}
		err = errors.Join(err, file.Close())
	}
	p.failed = err
}
