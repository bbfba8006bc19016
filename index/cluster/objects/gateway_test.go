package objects

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"mekiki/index/cluster/settings"
	"mekiki/internal/clustertest"
	"mekiki/internal/clustertest/storetest"
)

// ofGateway gives the settings of a gateway's bucket.
func ofGateway(address string) settings.Store {
	where := at(address)
	where.AccessKey, where.SecretKey = clustertest.OwnerAccess, clustertest.OwnerSecret
	return where
}

// TestStoreOnGateway: the promises of a store, on a real one.
func TestStoreOnGateway(t *testing.T) {
	gateway := clustertest.StartVersitygw(t, []string{"bucket"})
	testStore(t, open(t, ofGateway(gateway.Address())))
}

// TestFaultsThatPassOnGateway: those of a network, before a real store.
func TestFaultsThatPassOnGateway(t *testing.T) {
	testFaultsThatPass(t, ofGateway(clustertest.StartVersitygw(t, []string{"bucket"}).Address()))
}

// TestKilledGateway: what was acknowledged is there after the store was killed and started again.
func TestKilledGateway(t *testing.T) {
	gateway := clustertest.StartVersitygw(t, []string{"bucket"})
	store := open(t, ofGateway(gateway.Address()))
	for i := range 20 {
		if err := store.Put(t.Context(), fmt.Sprint("key/", i), noise(1000*i)); err != nil {
			t.Fatal(err)
		}
	}
	gateway.Kill(t)
	if _, err := store.Get(t.Context(), "key/1"); err == nil {
		t.Fatal("a store that was killed answers")
	}
	gateway.Start(t)
	for i := range 20 {
		if err := same(noise(1000 * i))(store.Get(t.Context(), fmt.Sprint("key/", i))); err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
}

// TestFlippedBitsOnGateway: bits that flip on the way or on the store's disk never pass.
func TestFlippedBitsOnGateway(t *testing.T) {
	gateway := clustertest.StartVersitygw(t, []string{"bucket"})
	proxy := storetest.StartProxy(t, gateway.Address())
	store := open(t, ofGateway(proxy.URL))
	data := noise(blockSize + 300)
	for i := range 10 {
		proxy.FlipBit(i*54321 + 3)
		proxy.Next(2, storetest.FlippedRequest)
		if err := store.Put(t.Context(), "key", data); err != nil {
			t.Fatal(err)
		}
		proxy.Next(2, storetest.FlippedAnswer)
		if err := same(data)(store.Get(t.Context(), "key")); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(gateway.Folder, "bucket", "library", "key")
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, bit := range []int{0, 8 * 17, 8 * 1000, 8*len(content) - 1} {
		content[bit/8] ^= 1 << (bit % 8)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		content[bit/8] ^= 1 << (bit % 8)
		if got, err := store.Get(t.Context(), "key"); err == nil {
			t.Errorf("bit %d: %d bytes", bit, len(got))
		}
	}
}
