package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// built is the program, once a test has needed it, in a folder of its own.
var built = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "mekiki-program-")
	if err != nil {
		return "", err
	}
	program := filepath.Join(folder, "mekiki")
	if output, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		return program, fmt.Errorf("build: %w\n%s", err, output)
	}
	return program, nil
})

var used bool

// program gives the program, which all tests that run it share.
func program(t *testing.T) string {
	t.Helper()
	used = true
	path, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestMain(m *testing.M) {
	status := m.Run()
	if used {
		if path, _ := built(); path != "" {
			_ = os.RemoveAll(filepath.Dir(path))
		}
	}
	os.Exit(status)
}
