package ask

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"sync"

	"mekiki/embed/decode"
)

// answerKey names one answer of the model.
type answerKey struct {
	content contentKey
	prompt  [sha256.Size]byte
}

// promptKey hashes all that an answer depends on but the picture.
func promptKey(prompt string, options decode.Options) [sha256.Size]byte {
	encoded, err := json.Marshal(struct {
		Prompt  string
		Options decode.Options
	}{prompt, options})
	if err != nil { // a number that JSON cannot say
		encoded = []byte(prompt + "\x00" + err.Error())
	}
	return sha256.Sum256(encoded)
}

// flight is an answer that is being made.
type flight struct {
	done   chan struct{}
	answer Answer
	err    error
}

// flights are the answers that are being made, so that questions that go on side by side do not make one
// twice. Unlike singleflight's, their owners make several together, which a model does faster.
type flights struct {
	mutex sync.Mutex
	open  map[answerKey]*flight
}

// claim gives the flight of a key, and whether the caller has to make the answer and land it.
func (f *flights) claim(key answerKey) (*flight, bool) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if known := f.open[key]; known != nil {
		return known, false
	}
	if f.open == nil {
		f.open = map[answerKey]*flight{}
	}
	made := &flight{done: make(chan struct{})}
	f.open[key] = made
	return made, true
}

// land hands over what became of a flight.
func (f *flights) land(key answerKey, one *flight, answer Answer, err error) {
	one.answer, one.err = answer, err
	f.mutex.Lock()
	delete(f.open, key)
	f.mutex.Unlock()
	close(one.done)
}

// wait gives what became of a flight that another caller makes.
func (one *flight) wait(ctx context.Context) (Answer, error) {
	select {
	case <-ctx.Done():
		return Answer{}, ctx.Err()
	case <-one.done:
		return one.answer, one.err
	}
}
