package webhooks

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"mekiki/index"
	"mekiki/internal/bounded"
	"mekiki/internal/vfs"
)

// stateVersion is the version of the file's form.
const stateVersion = 1

// state is what outlives the server. It is written whole at every change.
type state struct {
	Version    int     `json:"version"`
	Deliveries []*kept `json:"deliveries"` // oldest first
	// LastRecord is the newest record that was told of; nil before any was looked at.
	LastRecord *index.ID `json:"last_record,omitempty"`
}

// readState reads what was kept; a missing file is nothing.
func readState(path string) (state, error) {
	empty := state{Version: stateVersion}
	if path == "" {
		return empty, nil
	}
	data, err := bounded.ReadFile(path, stateBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return empty, nil
	}
	var read state
	if err == nil {
		err = json.Unmarshal(data, &read)
	}
	if err == nil && read.Version != stateVersion {
		err = fmt.Errorf("version %d is not %d", read.Version, stateVersion)
	}
	if err != nil {
		return empty, fmt.Errorf("read webhooks: %w", err)
	}
	read.Deliveries = slices.DeleteFunc(read.Deliveries, func(each *kept) bool {
		return each == nil || each.Attempts < 0 || each.State == Pending && (each.Next == nil || len(each.Payload) == 0)
	})
	return read, nil
}

// keep forgets the oldest that have ended, and writes the file. The mutex is held.
func (s *Sender) keep() {
	ended := len(s.state.Deliveries) - s.pending()
	s.state.Deliveries = slices.DeleteFunc(s.state.Deliveries, func(each *kept) bool {
		goes := ended > maximumLog && each.State != Pending
		if goes {
			ended--
		}
		return goes
	})
	if s.path == "" {
		return
	}
	err := vfs.WriteAtomically(vfs.OS{}, s.path, 0, func(writer io.Writer) error { return json.NewEncoder(writer).Encode(s.state) })
	if err != nil {
		s.logger.Error("webhooks are not kept", "error", err)
	}
}
