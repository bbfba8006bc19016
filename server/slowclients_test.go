//go:build linux

package server

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// slowClientsVariable makes the test binary the slow clients themselves: a process of their own, as
// they would be elsewhere, so that the server's memory and files are counted without theirs.
const slowClientsVariable = "MEKIKI_SLOW_CLIENTS"

// slowClientsOrTests runs the slow clients if this process was started for them, otherwise run.
func slowClientsOrTests(run func()) {
	address, number, found := strings.Cut(os.Getenv(slowClientsVariable), " ")
	if !found {
		run()
		return
	}
	count, err := strconv.Atoi(number)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		// The end of the input is the word to stop.
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	runSlowClients(ctx, address, count)
}

// runSlowClients keeps count connections open that each send a byte of a header a second, opens those
// anew that the server closes, and prints every second how many are open and how many were closed.
func runSlowClients(ctx context.Context, address string, count int) {
	var open, closed atomic.Int64
	var group sync.WaitGroup
	for n := range count {
		group.Go(func() {
			// Spread over two seconds, as they would come from many machines.
			pause(ctx, 2*time.Second*time.Duration(n)/time.Duration(count))
			for ctx.Err() == nil {
				dribble(ctx, address, byte(2+n%50), &open, &closed)
			}
		})
	}
	for ctx.Err() == nil {
		pause(ctx, time.Second)
		fmt.Println(open.Load(), closed.Load())
	}
	group.Wait()
}

// dribble opens one connection, from a loopback address of its own, since one has too few ports for all that are
// opened in a minute, and sends a byte a second until the server closes it.
func dribble(ctx context.Context, address string, host byte, open, closed *atomic.Int64) {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, host)}}
	connection, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		pause(ctx, 100*time.Millisecond)
		return
	}
	open.Add(1)
	defer func() {
		open.Add(-1)
		closed.Add(1)
		connection.Close()
	}()
	for buffer := make([]byte, 1); ctx.Err() == nil; {
		if _, err := connection.Write([]byte("G")); err != nil {
			return
		}
		// Nothing is answered; what comes is the end of the connection.
		if err := connection.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
			return
		}
		if _, err := connection.Read(buffer); !errors.Is(err, os.ErrDeadlineExceeded) {
			return
		}
	}
}

func pause(ctx context.Context, span time.Duration) {
	select {
	case <-time.After(span):
	case <-ctx.Done():
	}
}

// slowClients is a process of slow clients, and what it last printed.
type slowClients struct {
	open, closed atomic.Int64
	stop         func()
}

// startSlowClients starts count slow clients of a server, at a lower priority than it has.
func startSlowClients(t *testing.T, address string, count int) *slowClients {
	t.Helper()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(executable)
	command.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d", slowClientsVariable, address, count))
	command.Stderr = os.Stderr
	input, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setpriority(syscall.PRIO_PROCESS, command.Process.Pid, 10); err != nil {
		t.Log(err)
	}
	clients := &slowClients{}
	var reading sync.WaitGroup
	reading.Go(func() {
		for lines := bufio.NewScanner(output); lines.Scan(); {
			var open, closed int64
			if _, err := fmt.Sscan(lines.Text(), &open, &closed); err == nil {
				clients.open.Store(open)
				clients.closed.Store(closed)
			}
		}
	})
	clients.stop = sync.OnceFunc(func() {
		input.Close()
		reading.Wait()
		if err := command.Wait(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(clients.stop)
	return clients
}

// sockets counts the connections that this process has open, by the kernel's count.
func sockets(t *testing.T) int {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, file := range files {
		if target, err := os.Readlink("/proc/self/fd/" + file.Name()); err == nil && strings.HasPrefix(target, "socket:") {
			count++
		}
	}
	return count
}
