package frame

import (
	"bytes"
	"testing"
)

// TestRead: a frame reads back as it was written, and no byte of it can change unnoticed.
func TestRead(t *testing.T) {
	form := Form{Magic: 0x12345678, File: 7, MaxPayload: 100}
	for _, payload := range [][]byte{nil, []byte("the payload")} {
		data := form.Append([]byte("before"), 2, 1<<40, payload)
		var buffer []byte
		header, got, state, err := form.Read(bytes.NewReader(data), int64(len(data)), 6, &buffer)
		if err != nil || state != Whole || header.Kind != 2 || header.ID != 1<<40 || !bytes.Equal(got, payload) {
			t.Errorf("%+v, %q, %v, %v", header, got, state, err)
		}
		for i := 6; i < len(data); i++ {
			changed := bytes.Clone(data)
			changed[i] ^= 1
			_, _, state, err := form.Read(bytes.NewReader(changed), int64(len(data)), 6, &buffer)
			want := Absent
			if i >= 6+Size {
				want = Damaged
			}
			if err != nil || state != want {
				t.Errorf("byte %d changed: %v, %v", i, state, err)
			}
		}
		for size := range len(data) {
			if _, _, state, err := form.Read(bytes.NewReader(data), int64(size), 6, &buffer); err != nil || state != Absent {
				t.Errorf("%d bytes: %v, %v", size, state, err)
			}
		}
	}
	for name, other := range map[string]Form{"another magic": {Magic: 1, File: 7, MaxPayload: 100}, "another file": {Magic: form.Magic, File: 8, MaxPayload: 100}, "a smaller bound": {Magic: form.Magic, File: 7, MaxPayload: 2}} {
		if _, ok := other.Decode(form.Append(nil, 1, 1, []byte("the"))); ok {
			t.Errorf("%s: a frame of this form", name)
		}
	}
}
