package sandbox

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// section returns a section of a module.
func section(id byte, content ...byte) []byte {
	return append([]byte{id, byte(len(content))}, content...)
}

// turns is a module with a function "turns" that goes around a loop as often
// as its parameter says, and around for ever when that is 0, and returns how
// often it went.
func turns() []byte {
	body := []byte{
		1, 1, 0x7F, // one local variable: the turns so far
		0x03, 0x40, // loop
		0x20, 1, 0x41, 1, 0x6A, 0x22, 1, // count one up
		0x20, 0, 0x47, 0x0D, 0, // go around while it is not the parameter
		0x0B,
		0x20, 1, 0x0B,
	}
	return slices.Concat(
		[]byte("\x00asm\x01\x00\x00\x00"),
		section(1, 1, 0x60, 1, 0x7F, 1, 0x7F),
		section(3, 1, 0),
		section(5, 1, 0, 1),
		section(6, 1, 0x7F, 0, 0x41, 7, 0x0B),
		section(7, append([]byte{1, 5}, append([]byte("turns"), 0, 0)...)...),
		section(10, append([]byte{1, byte(len(body))}, body...)...),
	)
}

func instantiate(t *testing.T, module []byte) api.Module {
	t.Helper()
	ctx := context.Background()
	engine := wazero.NewRuntime(ctx)
	t.Cleanup(func() { engine.Close(ctx) })
	instance, err := engine.Instantiate(ctx, module)
	if err != nil {
		t.Fatal(err)
	}
	return instance
}

func TestMeteredLoopsDoTheSame(t *testing.T) {
	metered, err := meter(turns())
	if err != nil {
		t.Fatal(err)
	}
	instance := instantiate(t, metered)
	for _, want := range []uint64{1, 2, 1000, 3 * turnsPerBreak} {
		got, err := instance.ExportedFunction("turns").Call(context.Background(), want)
		if err != nil || got[0] != want {
			t.Errorf("%d turns: got %v, %v", want, got, err)
		}
	}
}

func TestEndlessLoopStops(t *testing.T) {
	metered, err := meter(turns())
	if err != nil {
		t.Fatal(err)
	}
	instance := instantiate(t, metered)
	stop, ok := instance.ExportedGlobal(stopGlobal).(api.MutableGlobal)
	if !ok {
		t.Fatal("the stop flag is not exported")
	}
	time.AfterFunc(20*time.Millisecond, func() { stop.Set(1) })
	if got, err := instance.ExportedFunction("turns").Call(context.Background(), 0); err == nil {
		t.Errorf("it ended with %v", got)
	}
}

func TestLoopStopsAfterItsBreaks(t *testing.T) {
	metered, err := meter(turns())
	if err != nil {
		t.Fatal(err)
	}
	instance := instantiate(t, metered)
	breaks, ok := instance.ExportedGlobal(breaksGlobal).(api.MutableGlobal)
	if !ok {
		t.Fatal("the breaks are not exported")
	}
	for _, run := range []struct {
		breaks, turns uint64
		stops         bool
	}{{2, 2 * turnsPerBreak, false}, {2, 3 * turnsPerBreak, true}, {1000, 3 * turnsPerBreak, false}} {
		breaks.Set(run.breaks)
		_, err := instance.ExportedFunction("turns").Call(context.Background(), run.turns)
		if stopped := err != nil; stopped != run.stops {
			t.Errorf("%+v: %v", run, err)
		}
	}
}

func TestMeterRefusesDamage(t *testing.T) {
	whole := turns()
	if _, err := meter([]byte("not a module")); !errors.Is(err, errModule) {
		t.Errorf("no module: %v", err)
	}
	code := len(whole) - 2 - int(whole[bytes.IndexByte(whole[40:], sectionCode)+41])
	for length := range whole {
		if length == code {
			continue // whole but for its last section
		}
		if _, err := meter(whole[:length]); !errors.Is(err, errModule) {
			t.Errorf("cut at %d: %v", length, err)
		}
	}
	for at := range whole {
		damaged := slices.Clone(whole)
		damaged[at] ^= 0x55
		meter(damaged) // must return
	}
}
