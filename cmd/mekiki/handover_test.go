package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/embed/ort/orttest"
	"mekiki/server/handover"
)

// handed is the program, a library of a server in a process of its own, and a folder of pictures outside of its roots.
type handed struct {
	*testing.T
	program, folder, library, pictures, runtime string
	server                                      *exec.Cmd
}

func newHanded(t *testing.T) *handed {
	t.Helper()
	if testing.Short() {
		t.Skip("builds and runs the program")
	}
	folder := t.TempDir()
	h := &handed{
		T: t, folder: folder, program: program(t), library: filepath.Join(folder, "library"),
		pictures: filepath.Join(folder, "pictures"), runtime: orttest.Open(t).LibraryPath(),
	}
	if err := os.Mkdir(h.pictures, 0o755); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		name := filepath.Join(h.pictures, string(rune('a'+i))+".png")
		if err := os.WriteFile(name, randomPicture(t, rand.New(rand.NewPCG(7, uint64(i)))), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

// command is the program with arguments, over the library.
func (h *handed) command(arguments ...string) *exec.Cmd {
	command := exec.CommandContext(h.Context(), h.program, append(arguments, "--library", h.library, "--runtime", h.runtime, "--threads", "1")...)
	command.Env = append(os.Environ(), "MEKIKI_CONFIG="+filepath.Join(h.folder, "config.toml"))
	return command
}

// run runs the program and gives its status, output and complaints.
func (h *handed) run(input string, arguments ...string) (status int, out, complaints string) {
	h.Helper()
	command := h.command(arguments...)
	var stdout, stderr bytes.Buffer
	command.Stdin, command.Stdout, command.Stderr = strings.NewReader(input), &stdout, &stderr
	err := command.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		h.Fatal(err)
	}
	return command.ProcessState.ExitCode(), stdout.String(), stderr.String()
}

// serve starts a server on a free port, waits until it says where it is, and gives its address.
func (h *handed) serve(arguments ...string) string {
	h.Helper()
	return h.serveAt("127.0.0.1:0", arguments...)
}

// serveAt is serve on a port.
func (h *handed) serveAt(address string, arguments ...string) string {
	h.Helper()
	h.server = h.command(append([]string{"serve", "--json", "--addr", address, "--log-level", "error"}, arguments...)...)
	out, err := h.server.StdoutPipe()
	if err == nil {
		err = h.server.Start()
	}
	if err != nil {
		h.Fatal(err)
	}
	server := h.server
	h.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
	})
	var message struct {
		Address string `json:"address"`
	}
	if err := json.NewDecoder(out).Decode(&message); err != nil {
		h.Fatal(err)
	}
	return message.Address
}

// TestIndexWhileServing: what writes to a library that a server has is done by the server, and looks as if it was done here.
func TestIndexWhileServing(t *testing.T) {
	h := newHanded(t)
	if err := os.WriteFile(filepath.Join(h.pictures, "broken.jpg"), []byte("no picture"), 0o644); err != nil {
		t.Fatal(err)
	}
	h.serve()
	status, out, complaints := h.run("", "index", h.pictures)
	if status != cli.ExitPartial || !strings.HasPrefix(out, "4 files: 3 new, 0 changed, 0 unchanged, 0 moved or copied, 0 gone, 1 failed\n") ||
		!strings.Contains(out, "broken.jpg: ") || !strings.Contains(out, "writes the captions that are missing") || !strings.Contains(complaints, "has the library and does the work, as job 1") {
		t.Errorf("index: status %d\n%s\n%s", status, out, complaints)
	}
	status, out, complaints = h.run("", "index", h.pictures, "--json")
	var indexed struct {
		Seen, Unchanged int
		Library         string
		Failures        []any
	}
	if err := json.Unmarshal([]byte(out), &indexed); err != nil || status != cli.ExitOK || indexed.Seen != 4 || indexed.Unchanged != 4 || indexed.Library != h.library || indexed.Failures == nil {
		t.Errorf("index --json: status %d, %v\n%s\n%s", status, err, out, complaints)
	}
	if status, out, complaints = h.run("a red shoe\na cat\n", "texts", "add", "-"); status != cli.ExitOK || out != "2 texts: 2 new or changed, 0 known\n" {
		t.Errorf("texts add: status %d\n%s\n%s", status, out, complaints)
	}
	if status, out, complaints = h.run("", "caption", "--refresh"); status != cli.ExitOK || !strings.Contains(out, "described") {
		t.Errorf("caption --refresh: status %d\n%s\n%s", status, out, complaints)
	}
	if status, out, complaints = h.run("", "remove", "--folder", h.pictures); status != cli.ExitOK || !strings.HasPrefix(out, "removed 3 records and 3 paths, and forgot 1 file") {
		t.Errorf("remove: status %d\n%s\n%s", status, out, complaints)
	}
	if status, out, complaints = h.run("", "compact"); status != cli.ExitOK || !strings.Contains(out, "before, ") {
		t.Errorf("compact: status %d\n%s\n%s", status, out, complaints)
	}
	for _, refused := range [][]string{
		{"index", h.pictures, "--watch"}, {"index", h.pictures, "--new-space"}, {"index", h.pictures, "--model", "other"},
		{"remap", h.pictures, h.folder}, {"check", "--repair"},
	} {
		if status, out, complaints = h.run("", refused...); status == cli.ExitOK || !strings.Contains(complaints, "stop the server") {
			t.Errorf("%v: status %d\n%s\n%s", refused, status, out, complaints)
		}
	}
	if err := h.server.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = h.server.Wait()
	if _, err := os.Stat(filepath.Join(h.library, handover.FileName)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the server leaves its address behind: %v", err)
	}
}

// TestIndexAfterAKilledServer: what a killed server left behind keeps nobody from indexing, and the next server takes its
// place.
func TestIndexAfterAKilledServer(t *testing.T) {
	h := newHanded(t)
	h.serve()
	if err := h.server.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = h.server.Wait()
	if _, err := os.Stat(filepath.Join(h.library, handover.FileName)); err != nil {
		t.Fatal(err)
	}
	status, out, complaints := h.run("", "index", h.pictures, "--no-captions")
	if status != cli.ExitOK || !strings.HasPrefix(out, "3 files: 3 new") || strings.Contains(complaints, "does the work") {
		t.Errorf("index: status %d\n%s\n%s", status, out, complaints)
	}
	h.serve()
	status, out, complaints = h.run("", "index", h.pictures, "--no-captions")
	if status != cli.ExitOK || !strings.HasPrefix(out, "3 files: 0 new, 0 changed, 3 unchanged") || !strings.Contains(complaints, "does the work") {
		t.Errorf("with the next server: status %d\n%s\n%s", status, out, complaints)
	}
	// Another process has the lock: the file of the server that was is not for it.
	data, err := os.ReadFile(filepath.Join(h.library, handover.FileName))
	if err != nil {
		t.Fatal(err)
	}
	if err := h.server.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = h.server.Wait()
	watch := h.command("index", h.pictures, "--watch", "--no-captions")
	var shown bytes.Buffer
	watch.Stdout = &shown
	if err := watch.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = watch.Process.Kill()
		_ = watch.Wait()
	}()
	if err := os.WriteFile(filepath.Join(h.library, handover.FileName), data, 0o600); err != nil {
		t.Fatal(err)
	}
	for range 200 {
		if _, err := os.Stat(filepath.Join(h.library, "writer.json")); err == nil {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if status, out, complaints = h.run("", "index", h.pictures); status != cli.ExitError || !strings.Contains(complaints, "library is in use") {
		t.Errorf("beside another process: status %d\n%s\n%s", status, out, complaints)
	}
}

// TestInterruptedIndexCancelsTheJob: Ctrl-C ends the server's job, and the same command goes on.
func TestInterruptedIndexCancelsTheJob(t *testing.T) {
	h := newHanded(t)
	for i := range 60 {
		name := filepath.Join(h.pictures, "more-"+string(rune('a'+i/26))+string(rune('a'+i%26))+".png")
		if err := os.WriteFile(name, randomPicture(t, rand.New(rand.NewPCG(8, uint64(i)))), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	h.serve()
	command := h.command("index", h.pictures)
	var out bytes.Buffer
	command.Stdout = &out
	complaints, err := command.StderrPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(complaints)
	for lines.Scan() && !strings.Contains(lines.Text(), "does the work") {
	}
	if err := command.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	last := ""
	for lines.Scan() {
		last = lines.Text()
	}
	_ = command.Wait()
	if status := command.ProcessState.ExitCode(); status != cli.ExitInterrupted || !strings.Contains(last, "run the same command again") {
		t.Errorf("status %d, %q\n%s", status, last, out.String())
	}
	status, text, said := h.run("", "index", h.pictures, "--no-captions")
	if status != cli.ExitOK || !strings.HasPrefix(text, "63 files: ") {
		t.Errorf("again: status %d\n%s\n%s", status, text, said)
	}
}
