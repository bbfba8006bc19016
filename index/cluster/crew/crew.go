package crew

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"mekiki/index"
	"mekiki/index/cluster/form"
	"mekiki/index/cluster/objects"
)

// Crew is this process among those at some work. Its methods may be called from any goroutine.
type Crew struct {
	store  objects.Store
	logger *slog.Logger
	prefix string
	name   string
	stop   context.CancelFunc
	ended  chan struct{}

	mutex   sync.Mutex
	members map[string]*member // but for this process
	looked  chan struct{}      // closed, and made anew, when the others were looked for
}

// member is another process, and when it was last seen to have written its object, by the clock of this one.
type member struct {
	written time.Time // by that of the store
	seen    time.Time
}

// Join makes this process one of those at some work, which is a short name of lower-case letters, until [Crew.Leave] or until the context ends.
// Others of whom nothing has been heard since they ended count for half a minute. An error is the store's.
func Join(ctx context.Context, store objects.Store, work string, logger *slog.Logger) (*Crew, error) {
	ctx, stop := context.WithCancel(ctx)
	c := &Crew{
		store: store, logger: logger, prefix: form.CrewPrefix + work + "/", name: form.NewMark(), stop: stop, ended: make(chan struct{}),
		members: map[string]*member{}, looked: make(chan struct{}),
	}
	if err := c.beat(ctx); err != nil {
		stop()
		return nil, fmt.Errorf("join the others at %s: %w", work, err)
	}
	go c.keepBeating(ctx)
	return c, nil
}

// keepBeating writes the object again until the context ends, and deletes it then.
func (c *Crew) keepBeating(ctx context.Context) {
	defer close(c.ended)
	ticker := time.NewTicker(heartbeat)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), heartbeat)
			defer cancel()
			if err := c.store.Delete(last, c.prefix+c.name); err != nil {
				c.logger.Warn("others will wait for this process for a while", "error", err)
			}
			return
		case <-ticker.C:
		}
		if err := c.beat(ctx); err != nil && ctx.Err() == nil {
			c.logger.Warn("other processes at the same work cannot be looked for; some may be done twice", "error", err)
		}
	}
}

// beat tells others that this process is alive, and looks for them.
func (c *Crew) beat(ctx context.Context) error {
	if err := c.store.Put(ctx, c.prefix+c.name, nil); err != nil {
		return err
	}
	found := map[string]time.Time{}
	for info, err := range c.store.List(ctx, c.prefix) {
		if err != nil {
			return err
		}
		if name := strings.TrimPrefix(info.Key, c.prefix); name != c.name && len(found) < maximumMembers {
			found[name] = info.Modified
		}
	}
	for _, name := range c.note(found, time.Now()) {
		if err := c.store.Delete(ctx, c.prefix+name); err != nil { // it was killed
			return err
		}
	}
	return nil
}

// note takes over which other objects there are and when they were written, and gives those of members that are not alive.
func (c *Crew) note(found map[string]time.Time, now time.Time) (dead []string) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	for name, written := range found {
		if known := c.members[name]; known == nil {
			c.members[name] = &member{written, now}
		} else if !known.written.Equal(written) {
			*known = member{written, now}
		}
	}
	for name, known := range c.members {
		_, there := found[name]
		if !there || now.Sub(known.seen) >= aliveFor {
			delete(c.members, name)
		}
		if there && now.Sub(known.seen) >= aliveFor {
			dead = append(dead, name)
		}
	}
	close(c.looked)
	c.looked = make(chan struct{})
	return dead
}

// Mine reports whether a content falls to this process. That changes when others come and go.
func (c *Crew) Mine(content index.Hash) bool {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	own := rank(c.name, content)
	for name := range c.members {
		if other := rank(name, content); other > own || other == own && name > c.name {
			return false
		}
	}
	return true
}

// rank is how much a content is a member's.
func rank(name string, content index.Hash) uint64 {
	sum := sha256.Sum256(append([]byte(name), content[:]...))
	return binary.BigEndian.Uint64(sum[:])
}

// Settle waits until each of the others has been heard of since it was called, or is gone: half a minute at most where
// the store answers. Then what falls to another one is being done.
func (c *Crew) Settle(ctx context.Context) error {
	began := time.Now()
	for {
		settled, looked := c.heardSince(began)
		if settled {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-c.ended:
			return nil
		case <-looked:
		}
	}
}

// heardSince reports whether all others have been heard of since a time, and gives what is closed when they are looked for again.
func (c *Crew) heardSince(since time.Time) (bool, <-chan struct{}) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	for _, known := range c.members {
		if !known.seen.After(since) {
			return false, c.looked
		}
	}
	return true, c.looked
}

// Leave ends this process's part: others take over its share. It returns when they can know.
func (c *Crew) Leave() {
	c.stop()
	<-c.ended
}
