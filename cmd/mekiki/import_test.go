package main

import (
	"context"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/embed/manifest"
)

// TestImportInChild is the child process of TestKillDuringImport.
func TestImportInChild(t *testing.T) {
	runInChild(t, "IMPORT_TEST_SOURCE", func(source string) []string {
		return []string{"import", source, "--precision", "fp32", "--name", "killed"}
	})
}

// runInChild runs the program with the arguments that an environment variable asks
// for, in the process that a test started for it, and ends that process.
func runInChild(t *testing.T, variable string, arguments func(string) []string) {
	t.Helper()
	asked := os.Getenv(variable)
	if asked == "" {
		t.Skip("runs in a process of its own")
	}
	os.Exit(run(context.Background(), &cli.App{In: strings.NewReader(""), Out: os.Stdout, Stderr: os.Stderr}, arguments(asked)))
}

// TestKillDuringImport kills imports with SIGKILL at random moments. Whenever the model has its name it must be whole, and
// the next import must succeed and leave nothing else behind.
func TestKillDuringImport(t *testing.T) {
	offlineEnvironment(t, "http://127.0.0.1:1")
	cache := os.Getenv("MEKIKI_CACHE")
	folder, err := filepath.Abs("../../embed/checkpoint/testdata/hf-f32")
	if err != nil {
		t.Fatal(err)
	}
	model := filepath.Join(cache, "models", "killed")
	child := func() *exec.Cmd {
		command := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestImportInChild$")
		command.Env = append(os.Environ(), "IMPORT_TEST_SOURCE="+folder, "MEKIKI_CONFIG="+filepath.Join(cache, "none.toml"))
		return command
	}
	started := time.Now()
	if output, err := child().CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	whole := time.Since(started)
	if err := os.RemoveAll(model); err != nil {
		t.Fatal(err)
	}
	killed, absent := 0, 0
	for range 25 {
		command := child()
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(rand.N(whole))
		if command.Process.Kill() == nil {
			killed++
		}
		_ = command.Wait()
		compiled, err := manifest.Read(model)
		if os.IsNotExist(err) || strings.Contains(errorText(err), "no such file") {
			absent++
			continue
		}
		if err == nil {
			err = compiled.Verify(t.Context(), model)
		}
		if err != nil {
			t.Fatalf("a killed import left a model that is not whole: %v", err)
		}
		if err := os.RemoveAll(model); err != nil {
			t.Fatal(err)
		}
	}
	if output, err := child().CombinedOutput(); err != nil {
		t.Fatalf("import after the kills: %v: %s", err, output)
	}
	entries, err := os.ReadDir(filepath.Join(cache, "models"))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if name := entry.Name(); name != "killed" && name != ".killed.lock" {
			t.Errorf("%s was left behind", name)
		}
	}
	t.Logf("%d imports killed within %v, %d before the model had its name", killed, whole, absent)
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
