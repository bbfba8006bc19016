// Package server is Mekiki's HTTP API and the host of its web page.
//
// [New] builds a server from the parts it serves, [Server.Run] runs it until
// its context ends. The API is described by openapi.json, which the server
// itself serves and which the tests hold against the routes in both directions.
//
// A request passes, in this order: the record of what happened (identity, log,
// measurements, recovery), the headers that bind browsers, the check of Host
// and origin, authentication and scope, admission (a bounded number at work, a
// bounded queue, else 429), a deadline, and its handler. Handlers return
// errors; one table turns them into RFC 9457 problems.
//
// The handlers are in rooms, packages below this one, each with one area of the
// API: queries, answers, records, uploads, tags, media, jobs, sessions, status.
// This package holds what lies around them. A new area is a new room: describe
// its operations in openapi.json, write a package with a struct Room of what its
// handlers need and a method Routes with their lines of the table (package api
// has an example and what rooms share), and add one line to the rooms in
// routes.go. New fails where the table and the document differ.
package server
