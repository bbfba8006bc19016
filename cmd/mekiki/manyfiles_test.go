package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/embed/ort/orttest"
	"mekiki/internal/testpictures"
	"mekiki/internal/testsize"
)

// TestIndexInChild is the child process of TestManyFiles.
func TestIndexInChild(t *testing.T) {
	runInChild(t, "INDEX_TEST_ARGUMENTS", func(arguments string) []string { return strings.Split(arguments, "\x1f") })
}

// TestManyFiles indexes pictures with the built-in model, without captions, in a
// process of its own: once, again with nothing new, and again beside everything
// that is no picture. It logs the process's memory as it goes.
// MEKIKI_TEST_INGEST says how many pictures, and MEKIKI_TEST_PICTURES names a
// folder that has them from an earlier run; docs/library.md has the figures.
func TestManyFiles(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the model over many pictures")
	}
	count := uint64(testsize.Of(t, "MEKIKI_TEST_INGEST", 40))
	runtime := orttest.Open(t)
	folder := t.TempDir()
	m := &manyFiles{T: t, pictures: filepath.Join(folder, "pictures"), flags: []string{
		"--library", filepath.Join(folder, "library"), "--cache", filepath.Join(folder, "cache"), "--runtime", runtime.LibraryPath(), "--json",
	}}
	m.Setenv("MEKIKI_CONFIG", filepath.Join(folder, "config.toml"))
	if drawn := os.Getenv("MEKIKI_TEST_PICTURES"); drawn != "" {
		m.pictures = drawn
	}
	m.draw(count)
	first := m.index("index the pictures")
	if first.Seen != int(count) || first.Added != int(count) || first.Failed != 0 {
		t.Errorf("first run: %+v", first)
	}
	if again := m.index("again with nothing new"); again.Unchanged != int(count) || again.Added != 0 {
		t.Errorf("nothing new: %+v", again)
	}
	zoo, err := testpictures.Zoo(filepath.Join(m.pictures, "zoo"), samples, nil)
	if err != nil {
		t.Fatal(err)
	}
	m.checkZoo(int(count), zoo, m.index("with bad files"))
}

const samples = "../../embed/pixels/testdata/files"

type manyFiles struct {
	*testing.T
	pictures string
	flags    []string
}

// draw makes the pictures, 500 to a folder.
func (m *manyFiles) draw(count uint64) {
	if _, err := os.Stat(m.pictures); err == nil {
		if err := os.RemoveAll(filepath.Join(m.pictures, "zoo")); err != nil {
			m.Fatal(err)
		}
		return
	}
	started, bytes := time.Now(), 0
	for number := range count {
		name, data, err := testpictures.Good(number, samples)
		if err != nil {
			m.Fatal(err)
		}
		folder := filepath.Join(m.pictures, fmt.Sprintf("%03d", number/500))
		if err := os.MkdirAll(folder, 0o777); err != nil {
			m.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, name), data, 0o666); err != nil {
			m.Fatal(err)
		}
		bytes += len(data)
	}
	m.Logf("drew %d pictures of %d MB in %.0f s", count, bytes>>20, time.Since(started).Seconds())
}

// indexed is what the verb index says in JSON.
type indexed struct {
	Seen, Unchanged, Added, Failed int
	Seconds                        float64
	Failures                       []struct{ Path, Reason string }
}

// index runs the verb in a child process and logs how its memory goes.
func (m *manyFiles) index(what string) (result indexed) {
	command := m.command("index", m.pictures, "--no-captions")
	var out bytes.Buffer
	command.Stdout = &out
	progress, err := command.StderrPipe()
	if err != nil {
		m.Fatal(err)
	}
	started := time.Now()
	if err := command.Start(); err != nil {
		m.Fatal(err)
	}
	curve := &memoryCurve{process: command.Process.Pid}
	text := curve.follow(progress)
	err = command.Wait()
	if code := command.ProcessState.ExitCode(); code != cli.ExitOK && code != cli.ExitPartial {
		m.Fatalf("%s: %v\n%s", what, err, text)
	}
	if err := json.Unmarshal(out.Bytes(), &result); err != nil {
		m.Fatalf("%s: %v\n%s", what, err, out.String())
	}
	whole := time.Since(started).Seconds()
	m.Logf("%s: %d seen, %d new, %d failed in %.1f s (%.1f s with starting and closing), %.1f a second",
		what, result.Seen, result.Added, result.Failed, result.Seconds, whole, float64(result.Added)/result.Seconds)
	m.Logf("%s: memory in MB by files dealt with: %s", what, curve.text())
	return result
}

func (m *manyFiles) command(arguments ...string) *exec.Cmd {
	command := exec.CommandContext(m.Context(), os.Args[0], "-test.run", "^TestIndexInChild$")
	command.Env = append(os.Environ(), "INDEX_TEST_ARGUMENTS="+strings.Join(append(arguments, m.flags...), "\x1f"))
	return command
}

// checkZoo sees to it that every bad file is listed with its reason and
// nothing else is missing.
func (m *manyFiles) checkZoo(before int, zoo []testpictures.File, result indexed) {
	want, good := map[string]bool{}, 0
	for _, file := range zoo {
		superuser := os.Getuid() == 0 || runtime.GOOS == "windows"
		path := filepath.Join(m.pictures, "zoo", file.Name)
		switch {
		case file.Good || file.Private && superuser:
			good++
		case file.Linked:
		case file.Private && filepath.Dir(file.Name) != ".":
			want[filepath.Dir(path)] = true
		default:
			want[path] = true
		}
	}
	if result.Added != good || result.Unchanged != before || result.Failed != len(want) {
		m.Errorf("with bad files: %d new, %d unchanged, %d failed; want %d, %d, %d", result.Added, result.Unchanged, result.Failed, good, before, len(want))
	}
	out, err := m.command("status", "--failed").Output()
	if err != nil {
		m.Fatal(err)
	}
	var status struct {
		Failures []struct{ Path, Reason string }
	}
	if err := json.Unmarshal(out, &status); err != nil {
		m.Fatalf("%v\n%s", err, out)
	}
	for _, failure := range status.Failures {
		m.Logf("%s: %s", filepath.Base(failure.Path), failure.Reason)
		if !want[failure.Path] || failure.Reason == "" {
			m.Errorf("%s is listed as failed: %q", failure.Path, failure.Reason)
		}
		delete(want, failure.Path)
	}
	for path := range want {
		m.Errorf("%s is not listed as failed", path)
	}
}

// memoryCurve samples a process's memory beside its progress.
type memoryCurve struct {
	process int

	mutex   sync.Mutex
	done    int64
	samples []memorySample
}

type memorySample struct {
	done      int64
	megabytes int
}

// follow reads progress until the process closes it, and gives what it read
// that is no progress.
func (c *memoryCurve) follow(progress io.Reader) string {
	ended := make(chan struct{})
	var sampling sync.WaitGroup
	sampling.Go(func() {
		for {
			c.sample()
			select {
			case <-ended:
				return
			case <-time.After(500 * time.Millisecond):
			}
		}
	})
	var other strings.Builder
	for lines := bufio.NewScanner(progress); lines.Scan(); {
		var state struct{ Done int64 }
		if json.Unmarshal(lines.Bytes(), &state) != nil {
			other.Write(lines.Bytes())
			continue
		}
		c.mutex.Lock()
		c.done = max(c.done, state.Done)
		c.mutex.Unlock()
	}
	close(ended)
	sampling.Wait()
	return other.String()
}

// sample reads the resident memory, where the system tells it.
func (c *memoryCurve) sample() {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.process))
	if err != nil {
		return
	}
	_, text, found := strings.Cut(string(data), "VmRSS:")
	if !found {
		return
	}
	var kilobytes int
	if _, err := fmt.Sscan(text, &kilobytes); err != nil {
		return
	}
	c.mutex.Lock()
	c.samples = append(c.samples, memorySample{c.done, kilobytes >> 10})
	c.mutex.Unlock()
}

// text gives the largest sample of each tenth of the work.
func (c *memoryCurve) text() string {
	if len(c.samples) == 0 {
		return "not known on this system"
	}
	last := max(1, c.samples[len(c.samples)-1].done)
	var most [11]int
	for _, sample := range c.samples {
		at := sample.done * 10 / last
		most[at] = max(most[at], sample.megabytes)
	}
	var text strings.Builder
	for i, megabytes := range most {
		fmt.Fprintf(&text, "%d:%d ", last*int64(i)/10, megabytes)
	}
	return text.String()
}
