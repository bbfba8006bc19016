package transport

import "log/slog"

// LogWriter passes what net/http has to say, mostly of clients that do not speak
// HTTP, on to the log.
type LogWriter struct{ Logger *slog.Logger }

// Write logs one line.
func (w LogWriter) Write(line []byte) (int, error) {
	w.Logger.Debug("http", "message", string(line))
	return len(line), nil
}
