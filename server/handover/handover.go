// Package handover lets the owner's commands find the server that has a library, and give it their work: a file beside the
// library's lock has the server's address and a secret that only the owner can read.
//
//	mekiki serve ──► server.json {address, secret} ◄── mekiki index: the library is locked, so it asks the server
//
// The secret is good for one run of one server, so that a file that a killed server left behind opens nothing.
package handover

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"mekiki/index/local/writerlock"
	"mekiki/internal/vfs"
)

// FileName is the file beside the library's lock.
const FileName = "server.json"

// Server is how the owner's commands reach a running server.
type Server struct {
	PID  int    `json:"pid"`
	Host string `json:"host"`
	// Address is where it answers, such as "http://127.0.0.1:8080".
	Address string `json:"address"`
	// Secret is sent as a bearer token; it allows everything, and folders outside the server's roots.
	Secret string    `json:"secret"`
	Since  time.Time `json:"since"`
}

// Errors of [Find]; test with errors.Is.
var (
	// ErrNone: no server that runs has left its address.
	ErrNone = errors.New("no server has the library")
	// ErrForeign: a server has the library, and its secret is not for this user.
	ErrForeign = errors.New("the server that has the library belongs to another user")
	// ErrElsewhere: a server has the library, on another machine.
	ErrElsewhere = errors.New("the server that has the library runs on another machine")
)

// NewSecret makes a secret of 256 random bits.
func NewSecret() string {
	data := make([]byte, secretBytes)
	rand.Read(data)
	return base64.RawURLEncoding.EncodeToString(data)
}

// Publish writes down how to reach this process, for its owner alone. The caller holds the library's lock.
func Publish(folder, address, secret string, now time.Time) (err error) {
	host, _ := os.Hostname()
	data, err := json.Marshal(Server{PID: os.Getpid(), Host: host, Address: address, Secret: secret, Since: now.UTC()})
	if err != nil {
		return fmt.Errorf("write %s: %w", FileName, err)
	}
	// A temporary file is readable by its owner alone from the beginning, and nobody sees half of it.
	file, err := os.CreateTemp(folder, "."+FileName+"-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", FileName, err)
	}
	_, err = file.Write(append(data, '\n'))
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), filepath.Join(folder, FileName))
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", FileName, errors.Join(err, os.Remove(file.Name())))
	}
	return nil
}

// Withdraw removes what [Publish] wrote, unless another process has written its own meanwhile.
func Withdraw(folder string) error {
	server, err := read(folder)
	if errors.Is(err, ErrNone) || err == nil && server.PID != os.Getpid() {
		return nil
	}
	if err := os.Remove(filepath.Join(folder, FileName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove %s: %w", FileName, err)
	}
	return nil
}

// Find tells how to reach the server that has the library in a folder, whose lock the caller found taken. What a
// server that was killed has left behind is [ErrNone]: it names another process than the one that holds the lock.
func Find(folder string) (Server, error) {
	server, err := read(folder)
	if err != nil {
		return Server{}, err
	}
	holder, known := writerlock.ReadHolder(folder)
	if !known || holder.PID != server.PID || holder.Host != server.Host {
		return Server{}, ErrNone
	}
	if host, err := os.Hostname(); err != nil || host != server.Host {
		return Server{}, fmt.Errorf("%w: %s", ErrElsewhere, server.Host)
	}
	return server, nil
}

func read(folder string) (Server, error) {
	name := filepath.Join(folder, FileName)
	info, err := os.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Server{}, ErrNone
	case err != nil:
		return Server{}, fmt.Errorf("read %s: %w", FileName, err)
	case !info.Mode().IsRegular(), runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0:
		// Whoever wrote it did not keep the secret, or wants to learn what is handed over.
		return Server{}, fmt.Errorf("%w: %s is not a file that its owner alone can read", ErrNone, name)
	}
	data, err := vfs.ReadFile(vfs.OS{}, name, maximumFile)
	if errors.Is(err, fs.ErrPermission) {
		return Server{}, ErrForeign
	}
	if err != nil {
		return Server{}, fmt.Errorf("read %s: %w", FileName, err)
	}
	var server Server
	if err := json.Unmarshal(data, &server); err != nil || server.Address == "" || server.Secret == "" {
		return Server{}, fmt.Errorf("%w: %s is not what a server writes", ErrNone, name)
	}
	return server, nil
}
