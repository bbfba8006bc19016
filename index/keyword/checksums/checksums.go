// Package checksums tells whether the files of a keyword index are as they were when it was closed.
package checksums

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"mekiki/internal/plural"
)

// Name is a file beside the index's folder that lists its files with
// length and CRC-32C. It is there from one closing to the next opening.
//
// bleve writes a checksum into each segment and never reads it: of 600 bits flipped in
// the segments of 2,000 documents, 23 gave other answers and 12 a panic. Reading all
// files takes 15 to 28 ms for 100,000 documents (52 MB), once at opening and once at
// closing; indexing them again takes more than ten seconds (BenchmarkOpen,
// BenchmarkFill of package keyword).
func Name(folder string) string { return folder + ".sums" }

func fileSum(name string) (int64, uint32, error) {
	file, err := os.Open(name)
	if err != nil {
		return 0, 0, err
	}
	defer file.Close()
	hash := crc32.New(crc32.MakeTable(crc32.Castagnoli))
	length, err := io.Copy(hash, file)
	return length, hash.Sum32(), err
}

// Files lists the files of an index, below its folder, with slashes.
func Files(folder string) ([]string, error) {
	var names []string
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(folder, path)
		names = append(names, filepath.ToSlash(name))
		return err
	})
	return names, err
}

// Write notes what the files of an index are, which is closed.
func Write(folder string) error {
	names, err := Files(folder)
	if err != nil {
		return fmt.Errorf("sum keyword index: %w", err)
	}
	var list strings.Builder
	for _, name := range names {
		length, sum, err := fileSum(filepath.Join(folder, name))
		if err != nil {
			return fmt.Errorf("sum keyword index: %w", err)
		}
		fmt.Fprintf(&list, "%d %08x %s\n", length, sum, name)
	}
	temporary := Name(folder) + ".new"
	if err := os.WriteFile(temporary, []byte(list.String()), 0o644); err != nil {
		return fmt.Errorf("sum keyword index: %w", err)
	}
	if err := os.Rename(temporary, Name(folder)); err != nil {
		return fmt.Errorf("sum keyword index: %w", err)
	}
	return nil
}

// Remove forgets what the files of an index are, which is about to be changed.
func Remove(folder string) error {
	err := os.Remove(Name(folder))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Clean reports whether the index was closed in order, so that every byte of
// it can be verified.
func Clean(folder string) bool {
	_, err := os.Stat(Name(folder))
	return err == nil
}

// Verify compares the index's files with what they were when it was
// closed. After a crash there is nothing to compare with but the checksums
// that bleve's segments carry themselves.
func Verify(folder string) error {
	file, err := os.Open(Name(folder))
	if errors.Is(err, fs.ErrNotExist) {
		return VerifySegments(folder)
	}
	if err != nil {
		return err
	}
	defer file.Close()
	names, err := Files(folder)
	if err != nil {
		return err
	}
	unlisted := map[string]bool{}
	for _, name := range names {
		unlisted[name] = true
	}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var length int64
		var sum uint32
		var name string
		if _, err := fmt.Sscanf(lines.Text(), "%d %x %s", &length, &sum, &name); err != nil || !filepath.IsLocal(name) {
			return fmt.Errorf("damaged list of checksums")
		}
		foundLength, foundSum, err := fileSum(filepath.Join(folder, name))
		if err != nil {
			return err
		}
		if foundLength != length || foundSum != sum {
			return fmt.Errorf("damaged file %s", name)
		}
		delete(unlisted, name)
	}
	if len(unlisted) > 0 {
		return errors.New(plural.Count(len(unlisted), "file that was", "files that were") + " not there")
	}
	return lines.Err()
}

// IsSegment tells bleve's segments, which never change, from its other files.
func IsSegment(name string) bool { return strings.HasSuffix(name, ".zap") }

// VerifySegments checks the checksum at the end of every bleve segment: the
// CRC-32 (IEEE), big-endian, of all bytes before it.
func VerifySegments(folder string) error {
	names, err := Files(folder)
	if err != nil {
		return err
	}
	for _, name := range names {
		if !IsSegment(name) {
			continue
		}
		if err := verifySegment(filepath.Join(folder, name)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func verifySegment(name string) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	stat, err := file.Stat()
	if err != nil {
		return err
	}
	if stat.Size() < 4 {
		return errors.New("too short")
	}
	hash := crc32.NewIEEE()
	if _, err := io.CopyN(hash, file, stat.Size()-4); err != nil {
		return err
	}
	var stored [4]byte
	if _, err := io.ReadFull(file, stored[:]); err != nil {
		return err
	}
	if binary.BigEndian.Uint32(stored[:]) != hash.Sum32() {
		return errors.New("damaged")
	}
	return nil
}
