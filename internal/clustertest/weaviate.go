package clustertest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// Cluster is some nodes of Weaviate on the loopback interface. Its methods are for one
// goroutine; its nodes end with the test.
type Cluster struct {
	program string
	nodes   []*node
	links   []string // of nodes that are apart
}

// node is one process and its ports, which lie one after the other from base on.
type node struct {
	name    string
	host    string   // that it listens at
	within  []string // the command that runs it in its network; none for this one
	base    int
	folder  string
	environ []string
	process *exec.Cmd
	ended   chan error
}

// The ports of a node, from its base on. That of the data must be the one after that of
// the gossip.
const (
	portHTTP = iota
	portGossip
	portData
	portRaft
	portRaftRPC
	portGRPC
)

func (n *node) port(which int) string { return fmt.Sprint(n.base + which) }

// StartWeaviate starts a cluster of some nodes, and returns when all are ready. Where
// Weaviate was not built the test skips.
func StartWeaviate(tb testing.TB, count int) *Cluster {
	tb.Helper()
	return StartWeaviateIn(tb, count, Circumstances{})
}

// StartWeaviateIn is [StartWeaviate] in circumstances that may not be had everywhere: then the test skips.
func StartWeaviateIn(tb testing.TB, count int, in Circumstances) *Cluster {
	tb.Helper()
	c := &Cluster{program: Weaviate.Require(tb)}
	var peers []string
	for i := range count {
		n := &node{name: fmt.Sprintf("node%d", i+1), host: "127.0.0.1", folder: tb.TempDir()}
		if in.Apart {
			c.moveApart(tb, n, i)
		}
		if in.DiskMiB[i] > 0 {
			smallDisk(tb, filepath.Join(n.folder, "data"), in.DiskMiB[i])
		}
		if in.Apart && i > 0 {
			n.base = c.nodes[0].base // nodes that do not share an address take each other's ports to be theirs
		} else {
			n.base = freePorts(tb, c.nodes)
		}
		peers = append(peers, n.name+":"+n.port(portRaft))
		c.nodes = append(c.nodes, n)
	}
	for i, n := range c.nodes {
		n.environ = n.settings(c.nodes, peers)
		c.start(tb, n)
		if i+1 < count {
			time.Sleep(startDistance)
		}
	}
	for i := range c.nodes {
		c.awaitReady(tb, i)
	}
	return c
}

// settings are the environment of a node: that of this process does not reach it.
func (n *node) settings(all []*node, peers []string) []string {
	settings := []string{
		"HOME=" + n.folder, "PATH=" + os.Getenv("PATH"), "TMPDIR=" + n.folder,
		fmt.Sprintf("CLUSTER_IN_LOCALHOST=%t", n.within == nil), "CLUSTER_HOSTNAME=" + n.name, "CLUSTER_ADVERTISE_ADDR=" + n.host, "CLUSTER_BIND_ADDR=" + n.host,
		"PERSISTENCE_DATA_PATH=" + filepath.Join(n.folder, "data"),
		"CLUSTER_GOSSIP_BIND_PORT=" + n.port(portGossip), "CLUSTER_DATA_BIND_PORT=" + n.port(portData),
		"RAFT_PORT=" + n.port(portRaft), "RAFT_INTERNAL_RPC_PORT=" + n.port(portRaftRPC),
		"RAFT_JOIN=" + strings.Join(peers, ","), fmt.Sprintf("RAFT_BOOTSTRAP_EXPECT=%d", len(peers)),
		"GRPC_PORT=" + n.port(portGRPC),
		"AUTHENTICATION_ANONYMOUS_ACCESS_ENABLED=true", "DEFAULT_VECTORIZER_MODULE=none", "DISABLE_TELEMETRY=true",
		"PROMETHEUS_MONITORING_ENABLED=false", "GO_PROFILING_DISABLE=true", "LOG_LEVEL=warning",
		"DISK_USE_WARNING_PERCENTAGE=100", "DISK_USE_READONLY_PERCENTAGE=100", "QUERY_MAXIMUM_RESULTS=100000",
	}
	// Each joins all, itself too: the first one, started again, would else wait for the others to call.
	var gossip []string
	for _, other := range all {
		gossip = append(gossip, other.host+":"+other.port(portGossip))
	}
	return append(settings, "CLUSTER_JOIN="+strings.Join(gossip, ","))
}

// start starts the process of a node, which ends with the test.
func (c *Cluster) start(tb testing.TB, n *node) {
	tb.Helper()
	log, err := os.OpenFile(n.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		tb.Fatal(err)
	}
	defer log.Close()
	command := append(slices.Clone(n.within), c.program, "--host", n.host, "--port", n.port(portHTTP), "--scheme", "http")
	process := exec.Command(command[0], command[1:]...)
	process.Env, process.Dir, process.Stdout, process.Stderr = n.environ, n.folder, log, log
	if err := process.Start(); err != nil {
		tb.Fatalf("start %s: %v", n.name, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- process.Wait() }()
	n.process, n.ended = process, ended
	tb.Cleanup(func() { stop(process, ended) })
}

// stop ends a process, and kills it where it does not end.
func stop(process *exec.Cmd, ended chan error) {
	if err := process.Process.Signal(os.Interrupt); err != nil {
		return // it has ended
	}
	select {
	case err := <-ended:
		ended <- err
	case <-time.After(stopTimeout):
		_ = process.Process.Kill()
		ended <- <-ended
	}
}

// logFile is where a node writes what it does: a file that the test deletes, or one in the folder of [logsVariable].
func (n *node) logFile() string {
	if kept := os.Getenv(logsVariable); kept != "" {
		return filepath.Join(kept, fmt.Sprintf("%s-%d.log", n.name, n.base))
	}
	return filepath.Join(n.folder, "log")
}

// awaitReady waits until a node answers and knows all others.
func (c *Cluster) awaitReady(tb testing.TB, i int) {
	tb.Helper()
	if err := c.ready(tb.Context(), i, startTimeout); err != nil {
		tb.Fatalf("%s is not ready: %v\n%s", c.nodes[i].name, err, c.nodes[i].tail())
	}
}

// ready waits for a while until a node answers and knows all others.
func (c *Cluster) ready(ctx context.Context, i int, while time.Duration) error {
	n := c.nodes[i]
	ctx, cancel := context.WithTimeout(ctx, while)
	defer cancel()
	for {
		err := get(ctx, c.Address(i)+"/v1/.well-known/ready")
		if err == nil && len(c.nodes) > 1 {
			err = get(ctx, c.Address(i)+"/v1/schema")
		}
		if err == nil {
			return nil
		}
		select {
		case ended := <-n.ended:
			n.ended <- ended
			return fmt.Errorf("it ended while it started: %w", ended)
		case <-ctx.Done():
			return err
		case <-time.After(pollInterval):
		}
	}
}

func get(ctx context.Context, address string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode/100 != 2 {
		return errors.New(response.Status)
	}
	_, err = io.Copy(io.Discard, io.LimitReader(response.Body, 1<<20))
	return err
}

// tail gives the end of a node's log.
func (n *node) tail() string {
	log, err := os.ReadFile(n.logFile())
	if err != nil {
		return err.Error()
	}
	return string(log[max(0, len(log)-logTail):])
}

// Address gives the address of a node's HTTP interface; nodes are numbered from zero.
func (c *Cluster) Address(i int) string {
	return "http://" + c.nodes[i].host + ":" + c.nodes[i].port(portHTTP)
}

// Addresses gives those of all nodes.
func (c *Cluster) Addresses() []string {
	addresses := make([]string, len(c.nodes))
	for i := range c.nodes {
		addresses[i] = c.Address(i)
	}
	return addresses
}

// Kill ends a node as a loss of power would.
func (c *Cluster) Kill(tb testing.TB, i int) {
	tb.Helper()
	n := c.nodes[i]
	if err := n.process.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		tb.Fatalf("kill %s: %v", n.name, err)
	}
	n.ended <- <-n.ended
}

// Restart starts a node that was killed, with its data, and waits until it is ready. One that
// is not within a minute is killed and started again, as whatever looks after nodes does: now
// and then one does not find the leader.
func (c *Cluster) Restart(tb testing.TB, i int) {
	tb.Helper()
	c.start(tb, c.nodes[i])
	if err := c.ready(tb.Context(), i, restartTimeout); err == nil {
		return
	}
	tb.Logf("%s is started once more", c.nodes[i].name)
	c.Kill(tb, i)
	c.start(tb, c.nodes[i])
	c.awaitReady(tb, i)
}

// PID gives the process of a node, to measure it.
func (c *Cluster) PID(i int) int { return c.nodes[i].process.Process.Pid }

// freePorts finds ports, one after the other, that nobody listens to and none of some
// nodes is to have.
func freePorts(tb testing.TB, taken []*node) int {
	tb.Helper()
	for range 100 {
		some, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			tb.Fatal(err)
		}
		base := some.Addr().(*net.TCPAddr).Port
		some.Close()
		if base+portsOfNode < 1<<16 && allFree(base) && !overlaps(base, taken) {
			return base
		}
	}
	tb.Fatal("no free ports, one after the other")
	return 0
}

func overlaps(base int, taken []*node) bool {
	for _, n := range taken {
		if base < n.base+portsOfNode && n.base < base+portsOfNode {
			return true
		}
	}
	return false
}

func allFree(base int) bool {
	for port := base; port < base+portsOfNode; port++ {
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			return false
		}
		listener.Close()
	}
	return true
}
