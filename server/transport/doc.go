// Package transport is what lies between the handlers of the server and its connections: compression, the headers that
// bind browsers, parts of files, bodies that nobody reads, and errors of the protocol itself.
package transport
