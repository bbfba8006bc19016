package digikam

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"mekiki/index/bring"
)

// schema has the tables that are read, as dbconfig.xml.cmake.in of KDE/digikam declares them (CreateDB, SQLite).
const schema = `
CREATE TABLE AlbumRoots (id INTEGER PRIMARY KEY, label TEXT, status INTEGER NOT NULL, type INTEGER NOT NULL, identifier TEXT, specificPath TEXT, UNIQUE(identifier, specificPath));
CREATE TABLE Albums (id INTEGER PRIMARY KEY, albumRoot INTEGER NOT NULL, relativePath TEXT NOT NULL, date DATE, caption TEXT, collection TEXT, icon INTEGER, UNIQUE(albumRoot, relativePath));
CREATE TABLE Images (id INTEGER PRIMARY KEY, album INTEGER, name TEXT NOT NULL, status INTEGER NOT NULL, category INTEGER NOT NULL, modificationDate DATETIME, fileSize INTEGER, uniqueHash TEXT, manualOrder INTEGER, UNIQUE (album, name));
CREATE TABLE ImageInformation (imageid INTEGER PRIMARY KEY, rating INTEGER, creationDate DATETIME, digitizationDate DATETIME, orientation INTEGER, width INTEGER, height INTEGER, format TEXT, colorDepth INTEGER, colorModel INTEGER);
CREATE TABLE ImageComments (id INTEGER PRIMARY KEY, imageid INTEGER, type INTEGER, language TEXT, author TEXT, date DATETIME, comment TEXT, UNIQUE(imageid, type, language, author));
CREATE TABLE Tags (id INTEGER PRIMARY KEY, pid INTEGER, name TEXT NOT NULL, icon INTEGER, iconkde TEXT, UNIQUE (name, pid));
CREATE TABLE ImageTags (imageid INTEGER NOT NULL, tagid INTEGER NOT NULL, UNIQUE (imageid, tagid));
CREATE TABLE TagProperties (tagid INTEGER, property TEXT, value TEXT);`

const content = `
INSERT INTO AlbumRoots VALUES (1, 'Pictures', 0, 1, 'volumeid:?path=%2Fhome%2Fada%2FMy%20Pictures', '/'), (2, 'Drive', 0, 2, 'volumeid:?uuid=1234-abcd', '/photos');
INSERT INTO Albums VALUES (1, 1, '/', NULL, NULL, NULL, NULL), (2, 1, '/Japan/Kyoto', NULL, NULL, NULL, NULL), (3, 2, '/Old', NULL, NULL, NULL, NULL);
INSERT INTO Images VALUES (1, 1, 'a.jpg', 1, 1, NULL, 100, '0123456789abcdef0123456789abcdef', NULL), (2, 2, 'b.jpg', 1, 1, NULL, 200, NULL, NULL),
 (3, 3, 'c.jpg', 1, 1, NULL, 300, NULL, NULL), (4, 2, 'trashed.jpg', 3, 1, NULL, 1, NULL, NULL), (5, 2, 'film.mp4', 1, 2, NULL, 1, NULL, NULL);
INSERT INTO ImageInformation (imageid, rating, creationDate) VALUES (1, 4, '1984-07-14T18:30:00'), (2, -1, NULL), (3, 0, 'x');
INSERT INTO ImageComments (imageid, type, language, comment) VALUES (1, 1, 'de', 'Regen'), (1, 1, 'x-default', 'Rain'), (1, 3, 'x-default', 'Bridge');
INSERT INTO Tags (id, pid, name) VALUES (1, 0, 'Places'), (2, 1, 'Japan'), (3, 0, 'People'), (4, 3, 'Ada'), (5, 0, '_Digikam_Internal_Tags_'), (6, 5, 'Pick Label Accepted'), (7, 8, 'Bo'), (8, 0, 'Family'), (9, 10, 'loop'), (10, 9, 'loop'), (11, 3, 'Unknown');
INSERT INTO TagProperties VALUES (7, 'person', 'Bo');
INSERT INTO ImageTags VALUES (1, 1), (1, 2), (1, 4), (1, 6), (2, 7), (2, 8), (2, 9), (2, 11);`

// database makes a database by statements.
func database(t testing.TB, statements ...string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "digikam4.db")
	db, err := sql.Open("sqlite3", name)
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range statements {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return name
}

// items reads a database.
func items(ctx context.Context, name string) (found []bring.Item, err error) {
	err = Source(name)(ctx, bring.Sink{Item: func(item bring.Item) error {
		found = append(found, item)
		return nil
	}, Problem: func(bring.Problem) {}})
	return found, err
}

func TestSource(t *testing.T) {
	name := database(t, schema, content)
	before, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	got, err := items(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	four := 4
	want := []bring.Item{
		{
			Path: "/home/ada/My Pictures/a.jpg", Name: "a.jpg", Bytes: 100, Sum: bring.Sum{Kind: bring.DigiKam, Hex: "0123456789abcdef0123456789abcdef"},
			Tags: []string{"Places/Japan"}, People: []string{"Ada"}, Rating: &four, Favourite: true, Title: "Bridge", Description: "Rain",
			Date: time.Date(1984, 7, 14, 18, 30, 0, 0, time.UTC),
		},
		{Path: "/home/ada/My Pictures/Japan/Kyoto/b.jpg", Name: "b.jpg", Bytes: 200, Tags: []string{"Family"}, People: []string{"Bo"}},
		{Path: "/photos/Old/c.jpg", Name: "c.jpg", Bytes: 300},
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	entries, err := os.ReadDir(filepath.Dir(name))
	if after, readErr := os.ReadFile(name); err != nil || readErr != nil || len(entries) != 1 || string(after) != string(before) {
		t.Errorf("the database was touched: %v, %v, %v", entries, err, readErr)
	}
}

// TestOtherFiles: what is no database of digiKam is refused, with a reason.
func TestOtherFiles(t *testing.T) {
	text := filepath.Join(t.TempDir(), "x.db")
	if err := os.WriteFile(text, []byte("this is not a database at all"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{text, database(t, "CREATE TABLE other (x)"), filepath.Join(t.TempDir(), "missing.db"), t.TempDir()} {
		if found, err := items(t.Context(), name); err == nil {
			t.Errorf("%s: %v", name, found)
		}
	}
}

// FuzzSource: a damaged database costs an error and nothing else.
func FuzzSource(f *testing.F) {
	whole, err := os.ReadFile(database(f, "PRAGMA page_size = 512", schema, content))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint32(30), []byte{0xFF, 0, 3})
	f.Add(uint32(600), []byte("SELECT"))
	f.Add(uint32(5000), []byte{1})
	f.Fuzz(func(t *testing.T, at uint32, patch []byte) {
		data := append([]byte(nil), whole...)
		copy(data[int(at)%len(data):], patch)
		name := filepath.Join(t.TempDir(), "x.db")
		if err := os.WriteFile(name, data, 0o644); err != nil {
			t.Fatal(err)
		}
		found, _ := items(t.Context(), name) // an error is one of many
		for _, item := range found {
			if len(item.Tags)+len(item.People) > bring.MaximumValues*2 || len(item.Title) > bring.MaximumDescription {
				t.Errorf("%+v", item)
			}
		}
	})
}
