package clustertest

import "time"

// Weaviate is the server of vectors, words and filters, and what it is built from.
var Weaviate = Server{Name: "weaviate-server", Package: "github.com/weaviate/weaviate/cmd/weaviate-server", Version: "v1.35.2"}

// requireVariable makes tests fail, and not skip, where a server was not built.
const requireVariable = "MEKIKI_REQUIRE_CLUSTER"

// logsVariable names a folder in which the logs of nodes are kept after a test; without it they go with the test.
const logsVariable = "MEKIKI_CLUSTER_LOGS"

const (
	// startTimeout is how long a node, or three, may take until they answer, on a busy
	// machine; startDistance is between the starts of two nodes of a cluster, which would
	// otherwise each bootstrap one of its own.
	startTimeout  = 3 * time.Minute
	startDistance = 4 * time.Second
	// restartTimeout is how long a node that was killed may take before it is started once more.
	restartTimeout = time.Minute
	// stopTimeout is how long a node may take to end before it is killed.
	stopTimeout = 10 * time.Second
	// pollInterval is how often a node is asked whether it is ready.
	pollInterval = 100 * time.Millisecond
	// portsOfNode is how many ports, one after the other, a node listens to.
	portsOfNode = 6
	// subnet is that of nodes with networks of their own, of those set aside for tests between networks (RFC 2544).
	subnet = "198.18.77."
	// logTail is how much of a node's log a failed test shows.
	logTail = 4 << 10
)
