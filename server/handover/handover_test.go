package handover

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"mekiki/index/local/writerlock"
	"mekiki/internal/vfs"
)

// published is a folder whose lock this process holds, with its address.
func published(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	lock, err := writerlock.Take(vfs.OS{}, folder, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = lock.Close() })
	if err := Publish(folder, "http://127.0.0.1:1", "secret", time.Now()); err != nil {
		t.Fatal(err)
	}
	return folder
}

func TestFind(t *testing.T) {
	folder := published(t)
	server, err := Find(folder)
	if err != nil || server.Secret != "secret" || server.Address != "http://127.0.0.1:1" || server.PID != os.Getpid() {
		t.Fatalf("%+v, %v", server, err)
	}
	info, err := os.Stat(filepath.Join(folder, FileName))
	if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if err := Withdraw(folder); err != nil {
		t.Fatal(err)
	}
	if _, err := Find(folder); !errors.Is(err, ErrNone) {
		t.Errorf("after the end: %v", err)
	}
	if err := Withdraw(folder); err != nil {
		t.Errorf("twice: %v", err)
	}
}

// TestFindRefuses: what another process left behind, what others may read and what is no such file is not used.
func TestFindRefuses(t *testing.T) {
	host, _ := os.Hostname()
	write := func(folder string, server Server, mode os.FileMode) {
		data, err := json.Marshal(server)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(folder, FileName)
		if err := os.WriteFile(name, data, mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
	}
	whole := Server{PID: os.Getpid(), Host: host, Address: "http://127.0.0.1:1", Secret: "secret"}
	for name, change := range map[string]func(folder string){
		"killed":       func(folder string) { other := whole; other.PID++; write(folder, other, 0o600) },
		"of a machine": func(folder string) { other := whole; other.Host += "x"; write(folder, other, 0o600) },
		"no secret":    func(folder string) { other := whole; other.Secret = ""; write(folder, other, 0o600) },
		"half":         func(folder string) { _ = os.WriteFile(filepath.Join(folder, FileName), []byte(`{"pid":`), 0o600) },
		"huge": func(folder string) {
			_ = os.WriteFile(filepath.Join(folder, FileName), []byte(strings.Repeat(" ", maximumFile+1)), 0o600)
		},
		"no lock": func(folder string) { _ = os.Remove(filepath.Join(folder, writerlock.HolderName)) },
		"for all": func(folder string) {
			if runtime.GOOS == "windows" {
				write(folder, Server{}, 0o600)
				return
			}
			write(folder, whole, 0o644)
		},
	} {
		folder := published(t)
		change(folder)
		if server, err := Find(folder); err == nil {
			t.Errorf("%s: %+v", name, server)
		}
	}
}
