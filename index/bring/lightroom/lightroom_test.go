package lightroom

import (
	"bytes"
	"compress/zlib"
	"context"
	"database/sql"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"mekiki/index/bring"
)

// schema has the tables that are read, with the columns of published dumps of catalogs of version 13.
const schema = `
CREATE TABLE AgLibraryRootFolder (id_local INTEGER PRIMARY KEY, id_global UNIQUE NOT NULL, absolutePath UNIQUE NOT NULL DEFAULT '', name NOT NULL DEFAULT '', relativePathFromCatalog);
CREATE TABLE AgLibraryFolder (id_local INTEGER PRIMARY KEY, id_global UNIQUE NOT NULL, parentId INTEGER, pathFromRoot NOT NULL DEFAULT '', rootFolder INTEGER NOT NULL DEFAULT 0, visibility INTEGER);
CREATE TABLE AgLibraryFile (id_local INTEGER PRIMARY KEY, id_global UNIQUE NOT NULL, baseName NOT NULL DEFAULT '', errorMessage, errorTime, extension NOT NULL DEFAULT '', externalModTime, folder INTEGER NOT NULL DEFAULT 0, idx_filename NOT NULL DEFAULT '', importHash, lc_idx_filename NOT NULL DEFAULT '', md5, modTime, originalFilename NOT NULL DEFAULT '', sidecarExtensions);
CREATE TABLE Adobe_images (id_local INTEGER PRIMARY KEY, id_global UNIQUE NOT NULL, captureTime, colorLabels NOT NULL DEFAULT '', copyName, fileFormat NOT NULL DEFAULT 'unset', masterImage INTEGER, orientation, pick NOT NULL DEFAULT 0, rating, rootFile INTEGER NOT NULL DEFAULT 0);
CREATE TABLE AgLibraryKeyword (id_local INTEGER PRIMARY KEY, id_global UNIQUE NOT NULL, dateCreated NOT NULL DEFAULT '', genealogy NOT NULL DEFAULT '', keywordType, lc_name, name, parent INTEGER);
CREATE TABLE AgLibraryKeywordImage (id_local INTEGER PRIMARY KEY, image INTEGER NOT NULL DEFAULT 0, tag INTEGER NOT NULL DEFAULT 0);
CREATE TABLE AgLibraryCollection (id_local INTEGER PRIMARY KEY, creationId NOT NULL DEFAULT '', genealogy NOT NULL DEFAULT '', imageCount, name NOT NULL DEFAULT '', parent INTEGER, systemOnly NOT NULL DEFAULT '');
CREATE TABLE AgLibraryCollectionImage (id_local INTEGER PRIMARY KEY, collection INTEGER NOT NULL DEFAULT 0, image INTEGER NOT NULL DEFAULT 0, pick NOT NULL DEFAULT 0, positionInCollection);
CREATE TABLE AgLibraryIPTC (id_local INTEGER PRIMARY KEY, caption, copyright, image INTEGER NOT NULL DEFAULT 0, altTextAccessibility);
CREATE TABLE Adobe_AdditionalMetadata (id_local INTEGER PRIMARY KEY, id_global UNIQUE NOT NULL, image INTEGER, xmp NOT NULL DEFAULT '');`

const content = `
INSERT INTO AgLibraryRootFolder (id_local, id_global, absolutePath, name) VALUES (1, 'r', 'C:/Users/Ada/Pictures/', 'Pictures');
INSERT INTO AgLibraryFolder (id_local, id_global, pathFromRoot, rootFolder) VALUES (1, 'f', '2024/Rome/', 1);
INSERT INTO AgLibraryFile (id_local, id_global, baseName, extension, folder) VALUES (1, 'a', 'IMG_1', 'JPG', 1), (2, 'b', 'IMG_2', 'NEF', 1), (3, 'c', 'film', 'mp4', 1);
INSERT INTO Adobe_images (id_local, id_global, captureTime, fileFormat, masterImage, pick, rating, rootFile) VALUES
 (10, 'a', '2024-05-01T12:00:00.25', 'JPG', NULL, 1.0, 5.0, 1), (11, 'b', '2024-05-02', 'RAW', NULL, -1, NULL, 2), (12, 'c', NULL, 'VIDEO', NULL, 0, 3, 3), (13, 'd', NULL, 'JPG', 10, 0, NULL, 1);
INSERT INTO AgLibraryKeyword (id_local, id_global, keywordType, name, parent) VALUES (1, 'a', NULL, NULL, NULL), (2, 'b', NULL, 'Places', 1), (3, 'c', NULL, 'Rome', 2), (4, 'd', 'person', 'Ada', 1);
INSERT INTO AgLibraryKeywordImage (image, tag) VALUES (10, 2), (10, 3), (10, 4), (11, 3), (11, 99);
INSERT INTO AgLibraryCollection (id_local, creationId, name, parent) VALUES (1, 'com.adobe.ag.library.group', 'Trips', NULL), (2, 'com.adobe.ag.library.collection', 'Best', 1), (3, 'com.adobe.ag.library.collection', 'quick collection', NULL), (4, 'com.adobe.ag.library.smart_collection', 'Five stars', NULL);
INSERT INTO AgLibraryCollectionImage (collection, image) VALUES (2, 10), (3, 10), (4, 10), (2, 13);
INSERT INTO AgLibraryIPTC (caption, image) VALUES ('The forum', 10), (NULL, 11);`

const packet = `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dc="http://purl.org/dc/elements/1.1/"><rdf:Description rdf:about=""><dc:title><rdf:Alt><rdf:li xml:lang="x-default">Ruins</rdf:li></rdf:Alt></dc:title><dc:description><rdf:Alt><rdf:li xml:lang="x-default">At noon</rdf:li></rdf:Alt></dc:description></rdf:Description></rdf:RDF></x:xmpmeta>`

// catalog makes a catalog.
func catalog(t testing.TB) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "catalog.lrcat")
	db, err := sql.Open("sqlite3", name)
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{"PRAGMA page_size = 512", schema, content} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	var compressed bytes.Buffer
	compressed.Write(binary.BigEndian.AppendUint32(nil, uint32(len(packet))))
	writer := zlib.NewWriter(&compressed)
	_, err = writer.Write([]byte(packet))
	if err != nil || writer.Close() != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), "INSERT INTO Adobe_AdditionalMetadata VALUES (1, 'a', 10, ?), (2, 'b', 11, ?)", compressed.Bytes(), packet); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return name
}

func items(ctx context.Context, name string) (found []bring.Item, err error) {
	err = Source(name)(ctx, bring.Sink{Item: func(item bring.Item) error {
		found = append(found, item)
		return nil
	}, Problem: func(bring.Problem) {}})
	return found, err
}

func TestSource(t *testing.T) {
	got, err := items(t.Context(), catalog(t))
	if err != nil {
		t.Fatal(err)
	}
	five := 5
	first := "C:/Users/Ada/Pictures/2024/Rome/IMG_1.JPG"
	want := []bring.Item{
		{
			Path: first, Name: "IMG_1.JPG", Tags: []string{"Places/Rome"}, People: []string{"Ada"}, Albums: []string{"Trips/Best"}, Rating: &five,
			Favourite: true, Title: "Ruins", Description: "The forum", Date: time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC),
		},
		{
			Path: "C:/Users/Ada/Pictures/2024/Rome/IMG_2.NEF", Name: "IMG_2.NEF", Tags: []string{"Places/Rome"}, Title: "Ruins", Description: "At noon",
			Date: time.Date(2024, 5, 2, 0, 0, 0, 0, time.UTC),
		},
		{Path: first, Name: "IMG_1.JPG", Albums: []string{"Trips/Best"}},
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// FuzzSource: a damaged catalog costs an error and nothing else.
func FuzzSource(f *testing.F) {
	whole, err := os.ReadFile(catalog(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint32(30), []byte{0xFF, 0, 3})
	f.Add(uint32(len(whole)-100), []byte{0x78, 0x9C, 0, 1, 2})
	f.Fuzz(func(t *testing.T, at uint32, patch []byte) {
		data := append([]byte(nil), whole...)
		copy(data[int(at)%len(data):], patch)
		name := filepath.Join(t.TempDir(), "x.lrcat")
		if err := os.WriteFile(name, data, 0o644); err != nil {
			t.Fatal(err)
		}
		_, _ = items(t.Context(), name) // an error is one of many
	})
}

// FuzzPacket: damaged XMP of a catalog costs only what it says.
func FuzzPacket(f *testing.F) {
	f.Add([]byte(packet))
	f.Add([]byte{0, 0, 1, 0, 0x78, 0x9C, 1, 2, 3})
	f.Fuzz(func(t *testing.T, data []byte) {
		var item bring.Item
		addPacket(t.Context(), &item, data)
	})
}
