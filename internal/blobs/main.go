package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

func main() {
	offline := flag.Bool("offline", false, "compare with the recorded hashes only")
	root := flag.String("root", ".", "root of the repository")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	failures, err := verify(ctx, os.Stdout, *root, table, !*offline)
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "verify-blobs:", err)
		os.Exit(2)
	case failures > 0:
		fmt.Fprintln(os.Stderr, "verify-blobs: failures:", failures)
		os.Exit(1)
	}
}

// verify writes a line for each entry and each binary file without one, and returns how many of them are failures.
func verify(ctx context.Context, out io.Writer, root string, table []entry, fetch bool) (failures int, err error) {
	files, err := tracked(ctx, root)
	if err != nil {
		return 0, err
	}
	owned := map[string][]string{} // files by the path of their entry
	for _, file := range files {
		if of := owner(file, table); of != "" {
			owned[of] = append(owned[of], file)
			continue
		}
		binary, err := isBinary(filepath.Join(root, filepath.FromSlash(file)))
		if err != nil {
			return failures, err
		}
		if binary {
			failures++
			fmt.Fprintf(out, "UNKNOWN    %s: no entry of internal/blobs/table.go names this binary file\n", file)
		}
	}
	results := make([]result, len(table))
	var all sync.WaitGroup
	for i, entry := range table {
		all.Go(func() { results[i] = entry.check(ctx, root, owned[entry.path], fetch) })
	}
	all.Wait()
	for i, result := range results {
		if result.failed {
			failures++
		}
		fmt.Fprintf(out, "%-10s %s (%d): %s\n", result.word, table[i].path, len(owned[table[i].path]), result.detail)
	}
	return failures, nil
}

type result struct {
	word, detail string
	failed       bool
}

// check compares the files of an entry with its hash and, if fetch is true, with its source.
func (e entry) check(ctx context.Context, root string, files []string, fetch bool) result {
	if len(files) == 0 {
		return result{"MISSING", "there is no such file", true}
	}
	digest, err := digestOf(root, e.path, files)
	if err != nil {
		return result{"UNREADABLE", err.Error(), true}
	}
	if e.digest != "" && digest != e.digest {
		return result{"CHANGED", fmt.Sprintf("hash is %s, want %s; %s", digest, e.digest, e.made), true}
	}
	if e.from == nil && e.digest == "" {
		return result{"listed", "not compared: " + e.made, false}
	}
	if e.from == nil {
		return result{"unchanged", "as recorded; not compared with its source: " + e.made, false}
	}
	if !fetch {
		return result{"unchanged", fmt.Sprintf("as recorded; not compared with %s: offline", e.from), false}
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTime)
	defer cancel()
	theirs, err := e.from.fetch(ctx)
	if errors.Is(err, errUnreachable) {
		return result{"unchanged", fmt.Sprintf("as recorded; not compared with %s: %v", e.from, err), false}
	}
	if err != nil {
		return result{"FAILED", fmt.Sprintf("%s: %v", e.from, err), true}
	}
	ours, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(e.path)))
	if from, ok := e.from.(unzipped); ok && err == nil {
		ours, err = from.unzip(ours)
	}
	if err != nil {
		return result{"UNREADABLE", err.Error(), true}
	}
	if !bytes.Equal(ours, theirs) {
		return result{"DIFFERENT", fmt.Sprintf("not the same as %s", e.from), true}
	}
	return result{"same", fmt.Sprintf("as %s; %s", e.from, e.made), false}
}

// owner returns the path of the entry that a file belongs to: its own, or the longest folder above it.
func owner(file string, table []entry) (best string) {
	for _, entry := range table {
		if file == entry.path || strings.HasSuffix(entry.path, "/") && strings.HasPrefix(file, entry.path) {
			if len(entry.path) > len(best) {
				best = entry.path
			}
		}
	}
	return best
}

// digestOf returns the hash of an entry's files as entry.digest has it.
func digestOf(root, path string, files []string) (string, error) {
	var lines strings.Builder
	for _, file := range files {
		data, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(file)))
		if err != nil {
			return "", err
		}
		sum := sha256.Sum256(data)
		if file == path {
			return hex.EncodeToString(sum[:]), nil
		}
		fmt.Fprintf(&lines, "%x %s\n", sum, strings.TrimPrefix(file, path))
	}
	sum := sha256.Sum256([]byte(lines.String()))
	return hex.EncodeToString(sum[:]), nil
}

// tracked lists the files that git knows, in order of path.
func tracked(ctx context.Context, root string) ([]string, error) {
	command := exec.CommandContext(ctx, "git", "ls-files", "-z")
	command.Dir = root
	output, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("git ls-files: %w", err)
	}
	files := strings.Split(strings.TrimSuffix(string(output), "\x00"), "\x00")
	slices.Sort(files)
	return files, nil
}

// isBinary says whether a file is none of text: git's rule, a zero within the first 8,000 bytes.
func isBinary(path string) (bool, error) {
	file, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer file.Close()
	head, err := io.ReadAll(io.LimitReader(file, 8000))
	return bytes.IndexByte(head, 0) >= 0, err
}
