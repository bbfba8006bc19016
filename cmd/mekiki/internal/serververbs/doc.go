// Package serververbs has the verbs of the server: serve, demo and token. servelibrary.go runs a server over an open model and
// library; reader.go keeps a library that another process writes to up to date.
package serververbs
