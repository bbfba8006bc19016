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
	ctx, stop := context.WithCancel(context.Background())
	app := &cli.App{In: cli.UntilDone(ctx, os.Stdin), Out: os.Stdout, Stderr: os.Stderr, Interrupts: new(cli.Interrupts)}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		for received := range signals {
			if received == os.Interrupt && app.Interrupts.Interrupt() {
				continue // it was for a part of the work
			}
			// The first signal asks to stop, a second one ends the program.
			signal.Stop(signals)
			stop()
			return
		}
	}()
	status := run(ctx, app, os.Args[1:])
	stop()
	os.Exit(status)
}
