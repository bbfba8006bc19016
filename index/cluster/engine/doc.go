// Package engine talks to Weaviate: the few calls of its REST and GraphQL interfaces that a
// library on a cluster makes.
//
//	client := engine.Open(engine.Options{Addresses: []string{"http://a:8080", "http://b:8080"}})
//	client.Put(ctx, "Photos", objects)
//	client.Find(ctx, engine.Query{Collection: "Photos", Near: &engine.Near{...}, Where: engine.Equal("kind", "image")})
//
// Any node answers for all, so each request goes to the next address, and on to another
// where one does not answer. All requests may be repeated: objects are put under IDs that
// their senders choose. Answers are bounded.
//
// Weaviate's own client for Go would bring 33 more modules into this one's build (OpenAPI's
// run time, gRPC, the server's module itself), a third more to build for whoever never
// has a cluster. What is used of it fits into this package.
package engine
