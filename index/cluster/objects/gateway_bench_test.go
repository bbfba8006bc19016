package objects

import (
	"fmt"
	"sync/atomic"
	"testing"

	"mekiki/internal/clustertest"
)

// BenchmarkGateway writes and reads objects on a real store on the loopback interface, 8 at
// a time: of the size of the built-in model's parts, and of ViT-g's image tokens.
func BenchmarkGateway(b *testing.B) {
	gateway := clustertest.StartVersitygw(b, []string{"bucket"})
	store := open(b, ofGateway(gateway.Address()))
	for _, size := range []int{4 << 10, 362 << 10} {
		data := noise(size)
		for name, call := range map[string]func(key string) error{
			"put":   func(key string) error { return store.Put(b.Context(), key, data) },
			"get":   func(key string) error { return same(data)(store.Get(b.Context(), key)) },
			"range": func(key string) error { return same(data[100:3100])(store.Range(b.Context(), key, 100, 3000)) },
		} {
			const count = 200
			for i := range count {
				if err := store.Put(b.Context(), fmt.Sprint("key/", i), data); err != nil {
					b.Fatal(err)
				}
			}
			b.Run(fmt.Sprintf("%s of %d KiB", name, size>>10), func(b *testing.B) {
				var next atomic.Int64
				b.SetParallelism(4)
				b.SetBytes(int64(size))
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						if err := call(fmt.Sprint("key/", next.Add(1)%count)); err != nil {
							b.Error(err)
						}
					}
				})
			})
		}
	}
}
