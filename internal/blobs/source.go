package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mekiki/internal/bounded"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A source gives a file as others publish it.
type source interface {
	// fetch returns the file. errUnreachable says that the source did not answer.
	fetch(ctx context.Context) ([]byte, error)
	String() string
}

// errUnreachable says that a source could not be asked, so that nothing is known.
var errUnreachable = errors.New("not reachable")

// A release is a Go module at a version, with the hash that go.sum has for it.
type release struct{ module, version, sum string }

// module is a file of a Go module. The go program fetches it and compares it with the checksum database.
type module struct {
	release
	file string
}

func (m module) String() string {
	return fmt.Sprintf("%s of the Go module %s %s", m.file, m.module, m.version)
}

func (m module) fetch(ctx context.Context) ([]byte, error) {
	command := exec.CommandContext(ctx, "go", "mod", "download", "-json", m.module+"@"+m.version)
	command.Dir = os.TempDir() // outside any module, whose go.mod would matter
	output, failure := command.Output()
	var answer struct{ Dir, Sum, Error string }
	if err := json.Unmarshal(output, &answer); err != nil || answer.Error != "" {
		return nil, fmt.Errorf("%w: go mod download: %v %s", errUnreachable, failure, answer.Error)
	}
	if answer.Sum != m.sum {
		return nil, fmt.Errorf("the module has the hash %s, want %s", answer.Sum, m.sum)
	}
	return os.ReadFile(filepath.Join(answer.Dir, filepath.FromSlash(m.file)))
}

// npm is a file of an npm package, which the npm program fetches and compares with the registry's hash.
type npm struct{ pack, file string }

func (n npm) String() string { return fmt.Sprintf("%s of the npm package %s", n.file, n.pack) }

func (n npm) fetch(ctx context.Context) ([]byte, error) {
	folder, err := os.MkdirTemp("", "mekiki-blobs")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	command := exec.CommandContext(ctx, "npm", "pack", "--silent", n.pack)
	command.Dir = folder
	output, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("%w: npm pack: %v", errUnreachable, err)
	}
	archive, err := os.Open(filepath.Join(folder, filepath.Base(strings.TrimSpace(string(output)))))
	if err != nil {
		return nil, err
	}
	defer archive.Close()
	unpacked, err := gzip.NewReader(archive)
	if err != nil {
		return nil, err
	}
	for files := tar.NewReader(unpacked); ; {
		header, err := files.Next()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", n, err)
		}
		if header.Name == n.file {
			return bounded.Read(files, maximumBytes)
		}
	}
}

// address is a file on the web.
type address struct{ url string }

func (a address) String() string { return a.url }

func (a address) fetch(ctx context.Context) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, a.url, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", errUnreachable, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%w: %s", errUnreachable, response.Status)
	}
	return bounded.Read(response.Body, maximumBytes)
}

// unzipped is a source whose file we keep compressed with gzip.
type unzipped struct{ source }

// unzip returns what our file holds, which is what the source gives.
func (unzipped) unzip(ours []byte) ([]byte, error) {
	reader, err := gzip.NewReader(bytes.NewReader(ours))
	if err != nil {
		return nil, err
	}
	return bounded.Read(reader, maximumBytes)
}
