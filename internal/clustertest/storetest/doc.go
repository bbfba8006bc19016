// Package storetest has, for tests, an S3-compatible store in this process, and a proxy
// before a store that does what networks and busy stores do: it answers 503, stalls, cuts
// bodies off, flips bits.
//
//	proxy := storetest.StartProxy(t, storetest.StartMemory(t, "bucket"))
//	proxy.Next(2, storetest.Unavailable)
//	... proxy.URL
package storetest
