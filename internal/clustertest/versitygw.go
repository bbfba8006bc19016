package clustertest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Versitygw is an S3-compatible store over a plain folder.
var Versitygw = Server{Name: "versitygw", Package: "github.com/versity/versitygw/cmd/versitygw", Version: "v1.8.0"}

// The credentials of a gateway: of its owner, and of somebody who may do nothing in the owner's buckets.
const (
	OwnerAccess, OwnerSecret       = "owner", "owner-secret"
	StrangerAccess, StrangerSecret = "stranger", "stranger-secret"
)

const strangerAccount = `{"accessAccounts":{"stranger":{"access":"stranger","secret":"stranger-secret","role":"user","userID":0,"groupID":0,"projectID":0}}}`

// Gateway is a versitygw on the loopback interface. Its methods are for one goroutine; it
// ends with the test.
type Gateway struct {
	// Folder has a folder for each bucket, in which objects are plain files.
	Folder string

	program, port string
	arguments     []string
	process       *exec.Cmd
	ended         chan error
}

// StartVersitygw starts a store with some buckets, and returns when it is ready. Where
// versitygw was not built the test skips. Flags are versitygw's own.
func StartVersitygw(tb testing.TB, buckets []string, flags ...string) *Gateway {
	tb.Helper()
	g := &Gateway{Folder: tb.TempDir(), program: Versitygw.Require(tb), arguments: flags}
	for _, bucket := range buckets {
		if err := os.Mkdir(filepath.Join(g.Folder, bucket), 0o700); err != nil {
			tb.Fatal(err)
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	g.port = fmt.Sprint(listener.Addr().(*net.TCPAddr).Port)
	listener.Close()
	g.Start(tb)
	return g
}

// Address is where it listens.
func (g *Gateway) Address() string { return "http://127.0.0.1:" + g.port }

// PID gives its process, to measure it.
func (g *Gateway) PID() int { return g.process.Process.Pid }

// Start starts it again after [Gateway.Kill], and waits until it is ready.
func (g *Gateway) Start(tb testing.TB) {
	tb.Helper()
	home := tb.TempDir()
	if err := os.WriteFile(filepath.Join(home, "users.json"), []byte(strangerAccount), 0o600); err != nil {
		tb.Fatal(err)
	}
	log, err := os.Create(filepath.Join(home, "log"))
	if err != nil {
		tb.Fatal(err)
	}
	defer log.Close()
	arguments := append([]string{"--port", "127.0.0.1:" + g.port, "--iam-dir", home, "--quiet", "--health", "/health", "--keep-alive"}, g.arguments...)
	process := exec.Command(g.program, append(arguments, "posix", g.Folder)...)
	process.Env = []string{"HOME=" + home, "PATH=" + os.Getenv("PATH"), "TMPDIR=" + home, "ROOT_ACCESS_KEY=" + OwnerAccess, "ROOT_SECRET_KEY=" + OwnerSecret}
	process.Dir, process.Stdout, process.Stderr = home, log, log
	if err := process.Start(); err != nil {
		tb.Fatalf("start versitygw: %v", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- process.Wait() }()
	g.process, g.ended = process, ended
	tb.Cleanup(func() { stop(process, ended) })
	ctx, cancel := context.WithTimeout(tb.Context(), startTimeout)
	defer cancel()
	for err := get(ctx, g.Address()+"/health"); err != nil; err = get(ctx, g.Address()+"/health") {
		select {
		case end := <-ended:
			ended <- end
			tb.Fatalf("versitygw ended while it started: %v\n%s", end, tailOf(log.Name()))
		case <-ctx.Done():
			tb.Fatalf("versitygw is not ready: %v\n%s", err, tailOf(log.Name()))
		case <-time.After(pollInterval):
		}
	}
}

// Kill ends it as a loss of power would.
func (g *Gateway) Kill(tb testing.TB) {
	tb.Helper()
	if err := g.process.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		tb.Fatalf("kill versitygw: %v", err)
	}
	g.ended <- <-g.ended
}

// tailOf gives the end of a file.
func tailOf(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-logTail):])
}
