//go:build !linux

package server

// slowClientsOrTests runs the tests: the load tests, which need slow clients, run on Linux only.
func slowClientsOrTests(run func()) { run() }
