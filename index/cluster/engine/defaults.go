package engine

import "time"

const (
	// oldestVersion and beforeVersion bound the versions of Weaviate that this package
	// was written for: vectors can be added to a collection, and collections have aliases.
	oldestVersion, beforeVersion = "1.32.0", "2.0.0"

	// connectTimeout bounds the wait for a connection, and firstTimeout a request to each address;
	// when all were tried, it is twice that, and so on up to requestTimeout. A node that lost its network
	// does not refuse: it says nothing.
	connectTimeout = 2 * time.Second
	firstTimeout   = 30 * time.Second
	requestTimeout = 60 * time.Second
	// A call gives up once it has tried for callTimeout, one in the background for backgroundTimeout, and a search
	// once all nodes have refused connections for refusedTimeout.
	callTimeout       = 90 * time.Second
	backgroundTimeout = 5 * time.Minute
	refusedTimeout    = 5 * time.Second
	// firstWait is the wait before everything has been tried once more; each is twice the
	// last, up to longestWait, and of each a random half is left out.
	firstWait, longestWait = 50 * time.Millisecond, 3 * time.Second
	// avoidedFor is how long an address that did not answer is asked last; each time in a row
	// it is twice the last, up to longestAvoided.
	avoidedFor, longestAvoided = 5 * time.Second, time.Minute

	// maximumAnswer bounds an answer, in bytes.
	maximumAnswer = 256 << 20
	// maximumMessage bounds what an error quotes of an answer, in bytes.
	maximumMessage = 500
	// maximumCertificates bounds a file of certificates, in bytes.
	maximumCertificates = 1 << 20
	// batchObjects and batchBytes bound the objects of one request.
	batchObjects, batchBytes = 200, 8 << 20
	// batchDeletions bounds the objects that one request deletes, and deletionsAtOnce is how
	// many requests for one object each are made at once.
	batchDeletions, deletionsAtOnce = 500, 16
	// idleConnections are kept open to each address.
	idleConnections = 32
)

// MaximumResults is how many objects a query can find at most, offset included, as Weaviate
// is set up unless told otherwise (QUERY_MAXIMUM_RESULTS).
const MaximumResults = 10_000
