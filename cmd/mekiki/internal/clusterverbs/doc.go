// Package clusterverbs has the verb cluster, which looks after a library on several machines: init, status, rebuild, check
// and migrate. The other verbs work on such a library with --cluster.
package clusterverbs
