package maintain

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"mekiki/embed/priority"
	"mekiki/index"
	"mekiki/index/cluster"
	"mekiki/index/cluster/document"
	"mekiki/index/cluster/engine"
	"mekiki/index/cluster/form"
	"mekiki/index/cluster/objects"
)

// Report is what a check found. Of each kind some IDs are named.
type Report struct {
	// Records were read of the store and verified with their vectors, and Tokens with their
	// image tokens; Objects are in the engine.
	Records int `json:"records"`
	Tokens  int `json:"tokens"`
	Objects int `json:"objects"`
	// Damaged records cannot be read, or their vectors or image tokens cannot.
	Damaged Listed `json:"damaged"`
	// Missing records are not in the engine, Stale ones are there as they were before, and
	// Extra objects of the engine have no record in the store.
	Missing Listed `json:"missing"`
	Stale   Listed `json:"stale"`
	Extra   Listed `json:"extra"`
	// Repaired counts those of the last three that were put right.
	Repaired int `json:"repaired"`
	// Leftover is what no record names. It does no harm but to the room that it takes.
	Leftover Leftover `json:"leftover"`
}

// Listed counts records and names the first.
type Listed struct {
	Count int        `json:"count"`
	IDs   []index.ID `json:"ids,omitempty"`
	// Reasons are why, where that differs.
	Reasons []string `json:"reasons,omitempty"`
}

func (l *Listed) add(id index.ID, reason error) {
	if l.Count++; l.Count > shownIDs {
		return
	}
	l.IDs = append(l.IDs, id)
	if reason != nil {
		l.Reasons = append(l.Reasons, reason.Error())
	}
}

// Good reports whether nothing is wrong, or no longer.
func (r Report) Good() bool {
	return r.Damaged.Count == 0 && r.Missing.Count+r.Stale.Count+r.Extra.Count == r.Repaired
}

// CheckOptions say how much is checked.
type CheckOptions struct {
	// Tokens reads the image tokens too, which are most of the store.
	Tokens bool
	// Repair puts the engine right, and deletes what no record names.
	Repair bool
	// LeftoverAge is how old that has to be; zero for a day.
	LeftoverAge time.Duration
	Progress    Progress
}

// Check reads every record of the store with its vectors, and compares store and engine. What
// others change meanwhile may be taken for missing or stale; repairing it does no harm.
func Check(ctx context.Context, library *cluster.Library, o CheckOptions) (Report, error) {
	ctx = priority.Background(ctx) // it can wait
	u := library.Upkeep()
	s, err := u.State(ctx)
	if err != nil {
		return Report{}, err
	}
	c := &checker{library: library, upkeep: u, state: s, options: o, named: newNames()}
	before := time.Now().Add(-cmp.Or(o.LeftoverAge, leftoverAge))
	c.next, c.stop = iter.Pull2(objectsOf(ctx, u, s.Collection))
	defer c.stop()
	if err := c.advance(); err != nil {
		return c.report, err
	}
	var batch []index.ID
	c.before, c.modified = before, map[index.ID]time.Time{}
	for record, err := range records(ctx, u.Store()) {
		if err != nil {
			return c.report, err
		}
		c.modified[record.id] = record.modified
		if batch = append(batch, record.id); len(batch) == batchRecords {
			if err := c.check(ctx, batch); err != nil {
				return c.report, err
			}
			batch = batch[:0]
			clear(c.modified)
		}
	}
	if err := c.check(ctx, batch); err != nil {
		return c.report, err
	}
	for c.there { // after the last record of the store
		if err := c.extra(ctx); err != nil {
			return c.report, err
		}
	}
	return c.report, c.leftovers(ctx, before)
}

// checker goes through store and engine side by side, in order of ID.
type checker struct {
	library *cluster.Library
	upkeep  cluster.Upkeep
	state   *form.State
	options CheckOptions
	report  Report
	named   *names
	unread  bool // there is a record of which it is not known what it names
	// modified is when the objects of the records of a batch were, and what was before may be left over.
	modified map[index.ID]time.Time
	before   time.Time

	next    func() (object, error, bool)
	stop    func()
	current object // of the engine; there is none after the last
	there   bool
}

// object is what the engine has of a record.
type object struct {
	id     index.ID
	record string
}

// objectsOf lists the objects of a collection, in order of ID.
func objectsOf(ctx context.Context, u cluster.Upkeep, collection string) iter.Seq2[object, error] {
	return func(yield func(object, error) bool) {
		for after := engine.FirstID; ; {
			answers, err := u.Engine().Find(ctx, engine.Query{Collection: collection, After: after, Limit: pageOfObjects, Properties: []string{document.Record}})
			if err != nil {
				yield(object{}, err)
				return
			}
			for _, found := range answers[0] {
				after = found.ID
				if !yield(object{form.ID(found.ID), found.Text(document.Record)}, nil) {
					return
				}
			}
			if len(answers[0]) < pageOfObjects {
				return
			}
		}
	}
}

// advance goes to the engine's next object.
func (c *checker) advance() (err error) {
	c.current, err, c.there = c.next()
	if c.there && err == nil {
		c.report.Objects++
	}
	return err
}

// verdict is what was found of a record in the store.
type verdict struct {
	encoded string
	problem error
	tokens  bool
	keys    []string // of the objects that it names; nil where it cannot be read
	gone    bool     // removed since it was listed, or by half
	half    int64    // the bytes of what a process that was stopped has left of it
}

// check verifies records of the store and compares the engine's objects up to the last.
func (c *checker) check(ctx context.Context, ids []index.ID) error {
	verdicts, err := c.verify(ctx, ids)
	if err != nil {
		return err
	}
	var repair []index.ID
	for i, id := range ids {
		for c.there && c.current.id < id {
			if err := c.extra(ctx); err != nil {
				return err
			}
		}
		v := verdicts[i]
		if v.gone { // an object of it is extra
			if err := c.removeHalf(ctx, id, v.half); err != nil {
				return err
			}
			continue
		}
		c.unread = c.unread || v.keys == nil
		for _, key := range v.keys {
			c.named.add(key)
		}
		if v.problem != nil {
			c.report.Damaged.add(id, v.problem)
		} else if c.report.Records++; v.tokens {
			c.report.Tokens++
		}
		same := c.there && c.current.id == id
		if v.problem == nil && !same {
			c.report.Missing.add(id, nil)
			repair = append(repair, id)
		} else if v.problem == nil && c.current.record != v.encoded {
			c.report.Stale.add(id, nil)
			repair = append(repair, id)
		}
		if same {
			if err := c.advance(); err != nil {
				return err
			}
		}
	}
	if c.options.Progress != nil {
		c.options.Progress(c.report.Records)
	}
	return c.repair(ctx, repair)
}

// removeHalf ends the removal of a record of which something is left, if that is old enough, as whoever meets it does: it gives its
// content up before its object goes, so that no other record ever has its ID.
func (c *checker) removeHalf(ctx context.Context, id index.ID, bytes int64) error {
	if bytes == 0 || !c.modified[id].Before(c.before) {
		return nil
	}
	c.report.Leftover.Count++
	c.report.Leftover.Bytes += bytes
	if !c.options.Repair {
		return nil
	}
	return index.Remove(ctx, c.library, id)
}

// extra deals with an object of the engine that has no record.
func (c *checker) extra(ctx context.Context) error {
	id := c.current.id
	c.report.Extra.add(id, nil)
	if err := c.repair(ctx, []index.ID{id}); err != nil {
		return err
	}
	return c.advance()
}

// repair brings the engine's objects of some records up to date.
func (c *checker) repair(ctx context.Context, ids []index.ID) error {
	if !c.options.Repair || len(ids) == 0 {
		return nil
	}
	damaged, err := c.upkeep.Publish(ctx, c.state, ids, c.state.Collection)
	c.report.Repaired += len(ids) - len(damaged)
	return err
}

// verify reads records and what belongs to them.
func (c *checker) verify(ctx context.Context, ids []index.ID) ([]verdict, error) {
	verdicts := make([]verdict, len(ids))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(16)
	var mutex sync.Mutex
	for i, id := range ids {
		group.Go(func() error {
			v, err := c.verifyOne(ctx, id)
			mutex.Lock()
			defer mutex.Unlock()
			verdicts[i] = v
			return err
		})
	}
	return verdicts, group.Wait()
}

// verifyOne reads one record. Only what is wrong with the store as a whole is an error.
func (c *checker) verifyOne(ctx context.Context, id index.ID) (verdict, error) {
	data, err := c.upkeep.Store().Get(ctx, form.RecordKey(id))
	if errors.Is(err, objects.ErrAbsent) {
		return verdict{gone: true}, nil
	}
	if err != nil {
		return judge(err)
	}
	record, err := form.Decode(data)
	if err != nil {
		return judge(err)
	}
	if record.Gone != "" {
		return verdict{gone: true, half: int64(len(data))}, nil
	}
	keys := keysOf(c.state, record)
	for _, key := range keys {
		always := strings.HasPrefix(key, form.VectorPrefix) || strings.HasPrefix(key, form.OriginalPrefix)
		if !always && !(strings.HasPrefix(key, form.TokenPrefix) && c.options.Tokens) {
			continue
		}
		if _, err := c.upkeep.Store().Get(ctx, key); err != nil {
			v, err := judge(err)
			v.keys = keys
			return v, err
		}
	}
	encoded, err := record.Encode()
	return verdict{encoded: string(encoded), tokens: c.options.Tokens, keys: keys}, err
}

// judge parts what is wrong with a record from what is wrong with the store.
func judge(err error) (verdict, error) {
	if errors.Is(err, index.ErrDamaged) || errors.Is(err, objects.ErrAbsent) {
		return verdict{problem: fmt.Errorf("read it: %w", err)}, nil
	}
	return verdict{}, err
}
