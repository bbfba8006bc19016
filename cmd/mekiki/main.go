// Command mekiki finds images by what they show. See "mekiki help" and docs/cli.md.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal asks to stop, a second one ends the program.
	context.AfterFunc(ctx, stop)
	app := &app{in: untilDone(ctx, os.Stdin), out: os.Stdout, stderr: os.Stderr}
	status := run(ctx, app, os.Args[1:])
	stop()
	os.Exit(status)
}
