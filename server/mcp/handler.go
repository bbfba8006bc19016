package mcp

import (
	"context"
	"io"
	"net/http"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// Handler answers requests of the streamable HTTP transport, one POST at a time and without sessions, so that the server
// keeps nothing of a caller. Who asks is settled before, and so is the size of a request: writes says whether it may change
// something.
func (t *Tools) Handler(writes bool) http.Handler {
	server := t.serverFor(writes)
	return sdk.NewStreamableHTTPHandler(func(*http.Request) *sdk.Server { return server }, &sdk.StreamableHTTPOptions{
		Stateless: true, JSONResponse: true, Logger: t.Logger, PropagateRequestCancellation: true,
		MaxRequestBodyBytes: -1, DisableLocalhostProtection: true, // the server has its own rules for both
	})
}

// Run speaks the protocol on a pair of streams until in ends or ctx does.
func (t *Tools) Run(ctx context.Context, writes bool, in io.ReadCloser, out io.WriteCloser) error {
	return t.serverFor(writes).Run(ctx, &sdk.IOTransport{Reader: in, Writer: out, MaxLineLength: keptMessage})
}

func (t *Tools) serverFor(writes bool) *sdk.Server {
	if writes {
		return t.writing
	}
	return t.reading
}
