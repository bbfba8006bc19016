// Package clustertest runs, for tests, the servers that a library on several machines
// needs. Each is built from its Go module by a command of its own, once, into the cache
// folder of the user:
//
//	go run ./internal/clustertest/fetch
//
// Tests that ask for a server skip where it was not built, or fail if the environment
// says MEKIKI_REQUIRE_CLUSTER=1:
//
//	cluster := clustertest.StartWeaviate(t, 3)
//	... cluster.Addresses()
//	cluster.Kill(t, 2)
//	cluster.Restart(t, 2)
package clustertest
