// Command mekiki finds images by what they show. See "mekiki help" and docs/cli.md.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"mekiki/cmd/mekiki/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal asks to stop, a second one ends the program.
	context.AfterFunc(ctx, stop)
	app := &cli.App{In: cli.UntilDone(ctx, os.Stdin), Out: os.Stdout, Stderr: os.Stderr}
	status := run(ctx, app, os.Args[1:])
	stop()
	os.Exit(status)
}
