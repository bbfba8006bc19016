package local

import (
	"archive/tar"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mekiki/index/indextest"
	"mekiki/index/local/maintain"
)

// TestRestoreRefusesHostileArchives holds that an archive can neither write
// outside the library's folder nor take more room than it has itself.
func TestRestoreRefusesHostileArchives(t *testing.T) {
	segment := "spaces/0001/vectors-00000002.segment"
	tests := map[string]tar.Header{
		"absolute":                  {Name: "/tmp/catalog/00000001.checkpoint", Typeflag: tar.TypeReg},
		"above":                     {Name: "../catalog/00000001.checkpoint", Typeflag: tar.TypeReg},
		"above, from a known place": {Name: "spaces/../../" + segment, Typeflag: tar.TypeReg},
		"a file of another kind":    {Name: "derived/keyword/store", Typeflag: tar.TypeReg},
		"a link":                    {Name: segment, Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"},
		"a hard link":               {Name: segment, Typeflag: tar.TypeLink, Linkname: "/etc/passwd"},
		"a device":                  {Name: segment, Typeflag: tar.TypeChar},
		"a folder":                  {Name: "spaces/0001/", Typeflag: tar.TypeDir},
	}
	for name, header := range tests {
		t.Run(name, func(t *testing.T) {
			var archive bytes.Buffer
			writer := tar.NewWriter(&archive)
			indextest.Must(t, writer.WriteHeader(&header))
			indextest.Must(t, writer.Close())
			refuseRestore(t, archive.Bytes())
		})
	}
	t.Run("sparse", func(t *testing.T) { refuseRestore(t, sparseArchive(segment, 64<<20)) })
	t.Run("a name twice", func(t *testing.T) {
		var archive bytes.Buffer
		writer := tar.NewWriter(&archive)
		for range 2 {
			indextest.Must(t, writer.WriteHeader(&tar.Header{Name: segment, Typeflag: tar.TypeReg}))
		}
		indextest.Must(t, writer.Close())
		refuseRestore(t, archive.Bytes())
	})
}

// refuseRestore restores into a folder of its own and expects a refusal that
// leaves nothing beside it and no file of any size in it.
func refuseRestore(t *testing.T, archive []byte) {
	t.Helper()
	around := t.TempDir()
	folder := filepath.Join(around, "library")
	err := maintain.Restore(t.Context(), bytes.NewReader(archive), folder)
	if err == nil || !strings.Contains(err.Error(), "which no backup of a library does") {
		t.Errorf("restored or refused for another reason: %v", err)
	}
	indextest.Must(t, filepath.Walk(around, func(path string, info os.FileInfo, err error) error {
		if err == nil && !info.IsDir() && (info.Size() > 1<<20 || !strings.HasPrefix(path, folder)) {
			t.Errorf("%s of %d bytes was left", path, info.Size())
		}
		return err
	}))
}

// sparseArchive is a tar archive of a few kilobytes with one file, of size
// zero bytes, in the sparse form (version 1.0) of PAX.
func sparseArchive(name string, size int) []byte {
	record := func(key, value string) string {
		text := fmt.Sprintf(" %s=%s\n", key, value)
		for n := len(text) + 1; ; n++ {
			if line := fmt.Sprint(n) + text; len(line) == n {
				return line
			}
		}
	}
	extended := record("GNU.sparse.major", "1") + record("GNU.sparse.minor", "0") +
		record("GNU.sparse.name", name) + record("GNU.sparse.realsize", fmt.Sprint(size))
	block := func(name string, kind byte, body string) []byte {
		header := make([]byte, 512)
		copy(header, name)
		copy(header[100:], "0000644\x00")
		copy(header[124:], fmt.Sprintf("%011o\x00", len(body)))
		copy(header[136:], "00000000000\x00")
		copy(header[148:], "        ")
		header[156] = kind
		copy(header[257:], "ustar\x0000")
		sum := 0
		for _, value := range header {
			sum += int(value)
		}
		copy(header[148:], fmt.Sprintf("%06o\x00 ", sum))
		padding := (512 - len(body)%512) % 512
		return append(append(header, body...), make([]byte, padding)...)
	}
	regions := fmt.Sprintf("1\n%d\n0\n", size) // one empty region at the end
	regions += strings.Repeat("\x00", 512-len(regions))
	archive := append(block("pax", 'x', extended), block("GNUSparseFile.0/"+name, '0', regions)...)
	return append(archive, make([]byte, 1024)...)
}
