package transport

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/labstack/echo/v4"
)

// oneConnection listens for one connection, in memory.
type oneConnection struct {
	connections chan net.Conn
	closed      chan struct{}
}

func (l oneConnection) Accept() (net.Conn, error) {
	select {
	case connection := <-l.connections:
		return connection, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l oneConnection) Close() error   { close(l.closed); return nil }
func (l oneConnection) Addr() net.Addr { return &net.UnixAddr{} }

// TestPace: a body of which a byte arrives each second is read until the grace is over, and no longer; one that keeps the
// rate may take as long as is allowed.
func TestPace(t *testing.T) {
	for name, test := range map[string]struct {
		chunk int // bytes a second
		took  time.Duration
		whole bool
	}{
		"trickling":          {1, BodyGrace, false},
		"at twice the rate":  {2 * BodyRate, 20 * time.Second, true},
		"at the rate, large": {BodyRate, 30 * time.Second, false}, // the longest that a body may take
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { pace(t, test.chunk, test.took, test.whole) })
		})
	}
}

func pace(t *testing.T, chunk int, want time.Duration, whole bool) {
	size := chunk * 20
	if !whole {
		size = chunk * 1000
	}
	read := make(chan error, 1)
	var took time.Duration
	e := echo.New()
	e.POST("/", func(c echo.Context) error {
		began := time.Now()
		body, done := Pace(c, 1<<30, 30*time.Second)
		_, err := io.Copy(io.Discard, body)
		done()
		took = time.Since(began)
		read <- err
		return c.NoContent(http.StatusNoContent)
	})
	client, served := net.Pipe()
	listener := oneConnection{make(chan net.Conn, 1), make(chan struct{})}
	listener.connections <- served
	server := &http.Server{Handler: e}
	go func() { _ = server.Serve(listener) }()
	go func() {
		_, err := fmt.Fprintf(client, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n", size)
		for sent := 0; sent < size && err == nil; sent += chunk {
			_, err = client.Write(make([]byte, chunk))
			time.Sleep(time.Second)
		}
	}()
	go func() { _, _ = io.Copy(io.Discard, client) }()
	err := <-read
	if whole != (err == nil) || !whole && !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read: %v", err)
	}
	if took < want-time.Second || took > want+time.Second {
		t.Errorf("took %s, want %s", took, want)
	}
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	client.Close()
	time.Sleep(time.Minute) // net/http lingers for a moment
}
