// Command fetch builds the servers that the tests of a library on several machines run,
// from their Go modules, into the cache folder of the user. What is there already is left
// as it is. Weaviate takes some five minutes of two cores and 2 GB of the module and
// build caches.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"

	"mekiki/internal/clustertest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	for _, server := range []clustertest.Server{clustertest.Weaviate, clustertest.Versitygw} {
		fmt.Fprintf(os.Stderr, "%s %s\n", server.Name, server.Version)
		if err := server.Build(ctx, os.Stderr); err != nil {
			fmt.Fprintln(os.Stderr, "error:", err)
			os.Exit(1)
		}
	}
}
