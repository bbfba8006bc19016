package maintain

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"image"
	"image/png"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"mekiki/index"
	"mekiki/index/cluster"
	"mekiki/index/cluster/engine"
	"mekiki/index/cluster/form"
	"mekiki/index/cluster/objects"
	"mekiki/index/cluster/settings"
	"mekiki/index/cluster/uploaded"
	"mekiki/index/indextest"
	"mekiki/index/local"
	"mekiki/internal/clustertest"
	"mekiki/internal/clustertest/storetest"
	"mekiki/internal/hint"
	"mekiki/internal/vfs/vfstest"
)

// places are a store in this process and an engine of one node.
type places struct {
	store             cluster.Store
	client            *engine.Client
	storeAt, engineAt string
}

func start(t *testing.T) places {
	t.Helper()
	p := places{engineAt: clustertest.StartWeaviate(t, 1).Address(0), storeAt: storetest.StartMemory(t, "bucket")}
	var err error
	p.client, err = engine.Open(engine.Options{Addresses: []string{p.engineAt}})
	indextest.Must(t, err)
	t.Cleanup(p.client.Close)
	p.store = openStoreAt(t, p.storeAt)
	return p
}

// openStoreAt opens a store of tests.
func openStoreAt(t *testing.T, address string) cluster.Store {
	t.Helper()
	store, err := objects.Open(settings.Store{
		Address: address, Bucket: "bucket", Region: settings.DefaultRegion, Addressing: "path", AccessKey: "a", SecretKey: "b",
	})
	indextest.Must(t, err)
	return store
}

func (p places) options() cluster.Options {
	return cluster.Options{Store: p.store, Engine: p.client, Name: "Test", Shards: 2, Replicas: 1, Quantisation: engine.RQ, Representatives: 4}
}

// open opens a library, which is made if need be.
func (p places) open(t *testing.T) *cluster.Library {
	t.Helper()
	o := p.options()
	indextest.Must(t, cluster.Init(t.Context(), o))
	library, err := cluster.Open(t.Context(), o)
	indextest.Must(t, err)
	t.Cleanup(func() { indextest.Must(t, library.Close()) })
	return library
}

// answers are what a library answers to some questions.
type answers struct {
	Nearest []index.Neighbour
	Words   []index.KeywordHit
	Facets  index.Facets
	Records []*index.Record
}

func ask(t *testing.T, library index.Source) (a answers) {
	t.Helper()
	r, err := library.Reader(t.Context())
	indextest.Must(t, err)
	defer r.Close()
	if _, serves := r.Space(); serves {
		a.Nearest, err = r.Nearest(t.Context(), index.KindImage, indextest.Unit(3, 2, 8).Values, 10, index.Filter{})
		indextest.Must(t, err)
	}
	a.Words, err = r.Keyword(t.Context(), index.KeywordQuery{Text: "a dog beside a river"}, 10, index.Filter{})
	indextest.Must(t, err)
	a.Facets, err = r.Facets(t.Context(), index.Filter{})
	indextest.Must(t, err)
	for record := range indextest.All(t, r) {
		a.Records = append(a.Records, record)
	}
	return a
}

// fill writes some images, in batches of ten.
func fill(t *testing.T, library index.Library, from, to uint64) {
	t.Helper()
	indextest.Must(t, library.AddSpace(t.Context(), indextest.Small))
	for ; from < to; from += 10 {
		var batch index.Batch
		for number := from; number < from+10; number++ {
			batch.Puts = append(batch.Puts, indextest.Image(t, number, indextest.Small))
		}
		_, err := library.Write(t.Context(), batch)
		indextest.Must(t, err)
	}
}

// TestMaintenance goes through the life of a library: damage is found and repaired, the
// engine is emptied and filled from the store with equal answers, while others write.
func TestMaintenance(t *testing.T) {
	p := start(t)
	library := p.open(t)
	fill(t, library, 0, 60)
	before := ask(t, library)
	if len(before.Records) != 60 || len(before.Nearest) != 10 || len(before.Words) == 0 {
		t.Fatalf("answers %+v", before)
	}
	u := library.Upkeep()
	s, err := u.State(t.Context())
	indextest.Must(t, err)
	check := func(repair bool) Report {
		t.Helper()
		report, err := Check(t.Context(), library, CheckOptions{Tokens: true, Repair: repair})
		indextest.Must(t, err)
		return report
	}
	if report := check(false); !report.Good() || report.Records != 60 || report.Objects != 60 || report.Tokens != 60 {
		t.Errorf("a good library: %+v", report)
	}
	// One object is lost, one is as it was, and one is of no record.
	ids := index.IDs(before.Records)
	indextest.Must(t, p.client.Delete(t.Context(), s.Collection, []string{form.UUID(ids[3])}))
	indextest.Must(t, p.client.Put(t.Context(), s.Collection, []engine.Object{
		{ID: form.UUID(ids[7]), Properties: map[string]any{"f_record": "{}"}}, {ID: form.UUID(99999999), Properties: map[string]any{"f_kind": "image"}},
	}))
	for _, repair := range []bool{false, true} {
		report := check(repair)
		if !slices.Equal(report.Missing.IDs, ids[3:4]) || !slices.Equal(report.Stale.IDs, ids[7:8]) || !slices.Equal(report.Extra.IDs, []index.ID{99999999}) || report.Good() != repair {
			t.Errorf("repair %v: %+v", repair, report)
		}
	}
	testLeftovers(t, p, library)
	same(t, "repaired", before, ask(t, library))
	// The engine loses everything.
	indextest.Must(t, p.client.DropCollection(t.Context(), s.Collection))
	rebuilt, err := Rebuild(t.Context(), library, nil)
	if indextest.Must(t, err); rebuilt.Records != 60 || rebuilt.Collection == s.Collection || len(rebuilt.Damaged) > 0 {
		t.Errorf("rebuilt %+v", rebuilt)
	}
	again := p.open(t) // as another process does
	same(t, "rebuilt", before, ask(t, again))
	// Another process writes while it is rebuilt, and a first try is stopped.
	_, err = u.ChangeState(t.Context(), func(s *form.State) (bool, error) {
		s.Generation++
		s.Filling = u.CollectionName(s.Generation)
		return true, u.PrepareCollection(t.Context(), s, s.Filling)
	})
	indextest.Must(t, err)
	var group sync.WaitGroup
	group.Go(func() { fill(t, again, 60, 100) })
	rebuilt, err = Rebuild(t.Context(), library, nil)
	indextest.Must(t, err)
	group.Wait()
	if report := check(false); !report.Good() || report.Records != 100 {
		t.Errorf("after writing meanwhile: %+v", report)
	}
	testDamage(t, p, library, check)
}

func same(t *testing.T, what string, want, got answers) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.EquateApprox(0, 1e-9)); diff != "" {
		t.Errorf("%s, it answers otherwise:\n%s", what, diff)
	}
}

// testLeftovers: what no record names is counted, and deleted once it is old enough; what records name stays.
func testLeftovers(t *testing.T, p places, library *cluster.Library) {
	key := form.VectorKey(indextest.Small, index.Hash{9}, form.Name([]byte("x"), form.NewMark()))
	indextest.Must(t, p.store.Put(t.Context(), key, []byte("x")))
	_, err := uploaded.Keep(t.Context(), p.store, []byte("of an upload that was not acknowledged"), "jpeg")
	indextest.Must(t, err)
	upload, key2 := testUpload(t, p, library)
	for _, step := range []struct {
		options CheckOptions
		want    int
	}{{CheckOptions{Repair: true}, 0}, {CheckOptions{LeftoverAge: time.Nanosecond}, 2}, {CheckOptions{LeftoverAge: time.Nanosecond, Repair: true}, 2}, {CheckOptions{LeftoverAge: time.Nanosecond}, 0}} {
		time.Sleep(time.Second) // times of the store are whole seconds
		report, err := Check(t.Context(), library, step.options)
		indextest.Must(t, err)
		if report.Leftover.Count != step.want || (report.Leftover.Bytes > 0) != (step.want > 0) || !report.Good() {
			t.Errorf("%+v: %+v", step.options, report)
		}
	}
	if _, err := p.store.Get(t.Context(), key); !errors.Is(err, objects.ErrAbsent) {
		t.Errorf("what no record names is there: %v", err)
	}
	indextest.Must(t, p.store.Delete(t.Context(), key2))
	if report, err := Check(t.Context(), library, CheckOptions{}); err != nil || report.Good() || !slices.Equal(report.Damaged.IDs, []index.ID{upload}) {
		t.Errorf("the file of an upload is lost: %+v, %v", report, err)
	}
	indextest.Must(t, index.Remove(t.Context(), library, upload))
	opened := p.open(t) // which remembers nothing
	r, err := opened.Reader(t.Context())
	indextest.Must(t, err)
	defer r.Close()
	for record := range indextest.All(t, r) {
		parts, err := r.Parts(t.Context(), []index.ID{record.ID})
		if err != nil || parts[0].Count == 0 {
			t.Errorf("record %d has lost its vectors: %v", record.ID, err)
		}
		if _, err := r.Thumbnail(t.Context(), record.ID); record.Kind == index.KindImage && err != nil {
			t.Error(err)
		}
	}
}

// testUpload brings in a picture that was uploaded; its thumbnail is made again from its file. It gives the record and the key of the
// file.
func testUpload(t *testing.T, p places, library *cluster.Library) (index.ID, string) {
	t.Helper()
	var picture bytes.Buffer
	indextest.Must(t, png.Encode(&picture, image.NewRGBA(image.Rect(0, 0, 20, 10))))
	path, err := uploaded.Keep(t.Context(), p.store, picture.Bytes(), "png")
	indextest.Must(t, err)
	put := indextest.Image(t, 1000, indextest.Small)
	put.Record.Hash, put.Record.Files, put.Thumbnail = sha256.Sum256(picture.Bytes()), []index.File{{Path: path, Name: "a.png"}}, nil
	written, err := library.Write(t.Context(), index.Batch{Puts: []index.Put{put}})
	indextest.Must(t, err)
	r, err := library.Reader(t.Context())
	indextest.Must(t, err)
	defer r.Close()
	if jpeg, err := r.Thumbnail(t.Context(), written.IDs[0]); err != nil || len(jpeg) == 0 {
		t.Errorf("thumbnail: %v", err)
	}
	key, _ := uploaded.KeyOf(path)
	return written.IDs[0], key
}

// testDamage: a damaged record costs only itself, and is named.
func testDamage(t *testing.T, p places, library *cluster.Library, check func(bool) Report) {
	r, err := library.Reader(t.Context())
	indextest.Must(t, err)
	defer r.Close()
	records, _, err := r.List(t.Context(), index.Filter{}, index.Page{Limit: 2})
	indextest.Must(t, err)
	indextest.Must(t, p.store.Put(t.Context(), form.RecordKey(records[0].ID), []byte("{")))
	data, err := p.store.Get(t.Context(), form.RecordKey(records[1].ID))
	indextest.Must(t, err)
	stored, err := form.Decode(data)
	indextest.Must(t, err)
	indextest.Must(t, p.store.Delete(t.Context(), form.VectorKey(indextest.Small, stored.Hash, stored.Spaces[1].Vectors)))
	report := check(true)
	if report.Good() || !slices.Equal(report.Damaged.IDs, index.IDs(records)) || report.Records != 98 {
		t.Errorf("damaged: %+v", report)
	}
	rebuilt, err := Rebuild(t.Context(), p.open(t), nil) // this one remembers the vectors
	if indextest.Must(t, err); rebuilt.Records != 98 || len(rebuilt.Damaged) != 2 {
		t.Errorf("rebuilt of what is damaged: %+v", rebuilt)
	}
	if _, err := library.Write(t.Context(), index.Batch{Tags: []index.TagChange{{ID: records[0].ID, Add: []string{"x"}}}}); !errors.Is(err, index.ErrDamaged) {
		t.Errorf("a damaged record is changed: %v", err)
	}
}

// TestCopyOfTheStore: a backup is a copy of the store. It becomes a library of its own by a rebuild, before which it
// neither reads nor writes the collection of the library that it was copied from.
func TestCopyOfTheStore(t *testing.T) {
	p := start(t)
	library := p.open(t)
	fill(t, library, 0, 30)
	before := ask(t, library)
	copied := places{store: openStoreAt(t, storetest.StartMemory(t, "bucket")), client: p.client}
	for info, err := range p.store.List(t.Context(), "") {
		indextest.Must(t, err)
		data, err := p.store.Get(t.Context(), info.Key)
		indextest.Must(t, err)
		indextest.Must(t, copied.store.Put(t.Context(), info.Key, data))
	}
	o := copied.options()
	o.Name = "Copy"
	restored, err := cluster.Open(t.Context(), o)
	indextest.Must(t, err)
	if _, err := restored.Reader(t.Context()); hint.Of(err) == "" {
		t.Errorf("it reads the collection of another library: %v", err)
	}
	if err := restored.AddSpace(t.Context(), indextest.Small); err != nil {
		t.Error(err) // it has the space already
	}
	if _, err := restored.Write(t.Context(), index.Batch{Puts: []index.Put{indextest.Image(t, 99, indextest.Small)}}); hint.Of(err) == "" {
		t.Errorf("it writes the collection of another library: %v", err)
	}
	rebuilt, err := Rebuild(t.Context(), restored, nil)
	if indextest.Must(t, err); rebuilt.Records != 30 || rebuilt.Collection != "Copy_g2" {
		t.Errorf("rebuilt %+v", rebuilt)
	}
	fill(t, restored, 30, 40)
	if report, err := Check(t.Context(), restored, CheckOptions{Tokens: true}); err != nil || !report.Good() || report.Records != 40 {
		t.Errorf("the copy: %+v, %v", report, err)
	}
	same(t, "copied from", before, ask(t, library))
	indextest.Must(t, restored.Close())
}

// openLocal makes a library on a disk that is in memory.
func openLocal(t *testing.T) *local.Library {
	t.Helper()
	library, err := local.Open(t.Context(), "/library", local.Options{FileSystem: vfstest.NewMemory()})
	indextest.Must(t, err)
	t.Cleanup(func() { indextest.Must(t, library.Close()) })
	return library
}

// TestMigrate brings a library of a disk in, twice, and compares the answers; then back.
func TestMigrate(t *testing.T) {
	p := start(t)
	from := openLocal(t)
	fill(t, from, 0, 70)
	ids := index.IDs(ask(t, from).Records)
	indextest.Must(t, index.Tag(t.Context(), from, ids[:3], "mine"))
	stars := 5
	_, err := from.Write(t.Context(), index.Batch{
		Given:        []index.GivenChange{{ID: ids[1], Set: index.GivenRating | index.GivenHidden, To: index.Given{Rating: &stars, Hidden: true}}},
		Failures:     []index.Failure{{File: indextest.File(999), Reason: "torn", Time: indextest.Time}},
		SaveSearches: []index.SavedSearch{{Name: "Dogs", Query: "q=dog"}},
	})
	indextest.Must(t, err)
	reader, err := from.Reader(t.Context())
	indextest.Must(t, err)
	defer reader.Close()
	library := p.open(t)
	for round := range 2 {
		migrated, err := Migrate(t.Context(), reader, library, nil, nil)
		indextest.Must(t, err)
		if want := (Migrated{Records: 70 * (1 - round), Known: 70 * round, Failures: 1, Searches: 1}); migrated != want {
			t.Errorf("round %d: %+v", round, migrated)
		}
	}
	want, got := ask(t, from), ask(t, library)
	paths := map[index.ID]string{}
	for _, all := range []answers{want, got} {
		for _, record := range all.Records {
			paths[record.ID] = record.Path()
		}
	}
	comparable := func(a answers) (list []string) {
		for _, hit := range a.Nearest {
			list = append(list, fmt.Sprintf("near %s %.5f", paths[hit.ID], hit.Score))
		}
		for _, hit := range a.Words {
			list = append(list, fmt.Sprintf("words %s %.5f %v", paths[hit.ID], hit.Score, hit.Fragments))
		}
		for _, record := range a.Records {
			same := *record
			same.ID, same.Sequence = 0, 0
			list = append(list, fmt.Sprintf("record %s %+v %v", record.Path(), same.Metadata, same.Tags))
		}
		return list
	}
	// IDs of both begin with one, and the order of the records is kept.
	if diff := cmp.Diff(comparable(want), comparable(got)); diff != "" {
		t.Errorf("it answers otherwise:\n%s", diff)
	}
	if diff := cmp.Diff(want.Facets, got.Facets); diff != "" {
		t.Errorf("it counts otherwise:\n%s", diff)
	}
	for i, record := range got.Records {
		if before := want.Records[i]; !record.Added.Equal(before.Added) || !record.Given.Equal(before.Given) {
			t.Errorf("record %d: added %v, given %+v, before %v, %+v", record.ID, record.Added, record.Given, before.Added, before.Given)
		}
	}
	// And back, where the second round finds all there.
	onCluster, err := library.Reader(t.Context())
	indextest.Must(t, err)
	defer onCluster.Close()
	back := openLocal(t)
	for round := range 2 {
		migrated, err := Migrate(t.Context(), onCluster, back, nil, nil)
		indextest.Must(t, err)
		if migrated.Records != 70*(1-round) || migrated.Known != 70*round {
			t.Errorf("back, round %d: %+v", round, migrated)
		}
	}
	got = ask(t, back)
	for _, record := range got.Records {
		paths[record.ID] = record.Path()
	}
	if diff := cmp.Diff(comparable(want), comparable(got)); diff != "" {
		t.Errorf("back on a disk, it answers otherwise:\n%s", diff)
	}
	for i, record := range got.Records {
		if before := want.Records[i]; !record.Given.Equal(before.Given) {
			t.Errorf("back on a disk, record %d: given %+v, before %+v", record.ID, record.Given, before.Given)
		}
	}
}
