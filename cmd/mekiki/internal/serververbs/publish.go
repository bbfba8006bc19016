package serververbs

import (
	"log/slog"
	"sync"
	"time"

	"mekiki/server/handover"
)

// publisher writes down, for commands of the same user, how to reach the server, once it both listens and has the library
// for writing.
type publisher struct {
	folder string // the library's
	secret string
	logger *slog.Logger

	mutex   sync.Mutex
	address string
	writes  bool
}

// listening says where the server answers, and writing that it has the library.
func (p *publisher) listening(address string) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.address = address
	p.publish()
}

func (p *publisher) writing() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.writes = true
	p.publish()
}

// publish is called with the mutex held. Serving does not depend on it.
func (p *publisher) publish() {
	if !p.writes || p.address == "" {
		return
	}
	if err := handover.Publish(p.folder, p.address, p.secret, time.Now()); err != nil {
		p.logger.Warn("commands such as mekiki index cannot find this server", "error", err)
	}
}

// withdraw is called at the end.
func (p *publisher) withdraw() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if !p.writes {
		return
	}
	if err := handover.Withdraw(p.folder); err != nil {
		p.logger.Warn("the server's address is left behind", "error", err)
	}
}
