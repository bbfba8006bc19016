// Package digikam reads the database of digiKam, digikam4.db. Its tables are those of versions 2 to 8, by
// core/data/database/dbconfig.xml.cmake.in of KDE/digikam.
package digikam

import (
	"context"
	"net/url"
	"path"
	"strings"

	"mekiki/index/bring"
	"mekiki/index/bring/sqlitefile"
)

// What the numbers in the tables mean, by digiKam's coredbconstants.h.
const (
	statusVisible  = 1
	categoryImage  = 1
	commentCaption = 1
	commentTitle   = 3
)

// The tags in which digiKam keeps its own, the name below which it keeps people, and the tag of an accepted picture.
const (
	internalTags = "_Digikam_Internal_Tags_"
	acceptedTag  = internalTags + "/Pick Label Accepted"
	personTag    = "person" // a property of tags
	peopleTag    = "People"
)

// Source gives what a database says.
func Source(file string) bring.Source {
	return func(ctx context.Context, sink bring.Sink) (err error) {
		db, err := sqlitefile.Open(ctx, file, "digiKam")
		if err != nil {
			return err
		}
		defer func() { err = closing(db, err) }()
		if err := db.Require(ctx, "AlbumRoots", "Albums", "Images", "ImageInformation", "ImageComments", "Tags", "ImageTags"); err != nil {
			return err
		}
		r := reader{db: db, sink: sink}
		if err := r.readTags(ctx); err != nil {
			return err
		}
		if err := r.readRoots(ctx); err != nil {
			return err
		}
		return r.readImages(ctx)
	}
}

func closing(db *sqlitefile.File, err error) error {
	if closeErr := db.Close(); err == nil {
		return closeErr
	}
	return err
}

type tag struct {
	parent int64
	name   string
	person bool
}

type reader struct {
	db    *sqlitefile.File
	sink  bring.Sink
	tags  map[int64]tag
	roots map[int64]string
}

func (r *reader) readTags(ctx context.Context) error {
	r.tags = map[int64]tag{}
	err := r.db.Each(ctx, func(scan func(...any) error) error {
		var id, parent sqlitefile.Number
		var name sqlitefile.Text
		if err := scan(&id, &parent, &name); err != nil {
			return err
		}
		r.tags[int64(id)] = tag{parent: int64(parent), name: bring.Text(string(name), bring.MaximumWord)}
		return nil
	}, "SELECT id, pid, substr(name, 1, 1000) FROM Tags LIMIT ?", maximumTags)
	if err != nil {
		return err
	}
	if has, err := r.db.Has(ctx, "TagProperties", ""); err != nil || !has {
		return err
	}
	return r.db.Each(ctx, func(scan func(...any) error) error {
		var id sqlitefile.Number
		if err := scan(&id); err != nil {
			return err
		}
		if known, ok := r.tags[int64(id)]; ok {
			known.person = true
			r.tags[int64(id)] = known
		}
		return nil
	}, "SELECT tagid FROM TagProperties WHERE property = ? LIMIT ?", personTag, maximumTags)
}

// pathOf gives a tag with its levels; "" for one that is cut off from the rest.
func (r *reader) pathOf(id int64) (levels []string) {
	for range maximumLevels {
		known, ok := r.tags[id]
		if !ok {
			return nil
		}
		levels = append([]string{strings.ReplaceAll(known.name, "/", "-")}, levels...)
		if known.parent == 0 {
			return levels
		}
		id = known.parent
	}
	return nil
}

// readRoots finds where the collections lie: "volumeid:?path=/home/ada/Pictures", percent-encoded or not. Of a volume that
// is named by its UUID, only the folders on it are known.
func (r *reader) readRoots(ctx context.Context) error {
	r.roots = map[int64]string{}
	return r.db.Each(ctx, func(scan func(...any) error) error {
		var id sqlitefile.Number
		var identifier, specific, label sqlitefile.Text
		if err := scan(&id, &identifier, &specific, &label); err != nil {
			return err
		}
		root := string(specific)
		if _, query, ok := strings.Cut(string(identifier), "?"); ok {
			values, _ := url.ParseQuery(strings.ReplaceAll(query, "+", "%2B")) // what it could read counts
			for _, name := range []string{"path", "mountpath"} {
				if mounted := values.Get(name); mounted != "" && !(root == mounted || strings.HasPrefix(root, mounted+"/")) {
					root = path.Join(mounted, root)
				}
			}
		}
		r.roots[int64(id)] = root
		return nil
	}, "SELECT id, identifier, specificPath, label FROM AlbumRoots LIMIT ?", maximumTags)
}

const imagesQuery = `SELECT Images.id, Albums.albumRoot, Albums.relativePath, Images.name, Images.fileSize, Images.uniqueHash,
	ImageInformation.rating, ImageInformation.creationDate
	FROM Images JOIN Albums ON Images.album = Albums.id LEFT JOIN ImageInformation ON ImageInformation.imageid = Images.id
	WHERE Images.status = ? AND Images.category = ? ORDER BY Images.id`

func (r *reader) readImages(ctx context.Context) error {
	words := cursor{query: "SELECT imageid, tagid, '' FROM ImageTags ORDER BY imageid", db: r.db}
	comments := cursor{query: "SELECT imageid, type, substr(comment, 1, 100000) FROM ImageComments WHERE comment IS NOT NULL ORDER BY imageid, language = 'x-default' DESC, id", db: r.db}
	if err := words.read(ctx); err != nil {
		return err
	}
	if err := comments.read(ctx); err != nil {
		return err
	}
	return r.db.Each(ctx, func(scan func(...any) error) error {
		var id, root, size, rating sqlitefile.Number
		var folder, name, hash, created sqlitefile.Text
		if err := scan(&id, &root, &folder, &name, &size, &hash, &rating, &created); err != nil {
			return err
		}
		item := bring.Item{
			Path: path.Join(r.roots[int64(root)], string(folder), string(name)), Name: string(name), Bytes: int64(size),
			Date: sqlitefile.Clock(created),
		}
		if len(hash) == 32 {
			item.Sum = bring.Sum{Kind: bring.DigiKam, Hex: string(hash)}
		}
		if stars := int(rating); stars >= 1 && stars <= 5 {
			item.Rating = &stars
		}
		for _, word := range words.rows[int64(id)] {
			r.addTag(&item, word.number)
		}
		item.Tags = bring.Leaves(item.Tags)
		for _, comment := range comments.rows[int64(id)] {
			switch {
			case comment.number == commentTitle && item.Title == "":
				item.Title = comment.text
			case comment.number == commentCaption && item.Description == "":
				item.Description = comment.text
			}
		}
		return r.sink.Item(item)
	}, imagesQuery, statusVisible, categoryImage)
}

func (r *reader) addTag(item *bring.Item, id int64) {
	levels := r.pathOf(id)
	switch whole := strings.Join(levels, "/"); {
	case len(levels) == 0:
	case whole == acceptedTag:
		item.Favourite = true
	case levels[0] == internalTags:
	case r.tags[id].person || levels[0] == peopleTag && len(levels) > 1:
		if name := levels[len(levels)-1]; !strings.EqualFold(name, "Unknown") && !strings.EqualFold(name, "Unconfirmed") && !strings.EqualFold(name, "Ignored") {
			item.People = append(item.People, name)
		}
	default:
		item.Tags = append(item.Tags, whole)
	}
}

// cursor is a table of which an image has several rows.
type cursor struct {
	db    *sqlitefile.File
	query string
	rows  map[int64][]row
}

type row struct {
	number int64
	text   string
}

// read reads the table: an image has at most as many rows as an item has values.
func (c *cursor) read(ctx context.Context) error {
	c.rows = map[int64][]row{}
	return c.db.Each(ctx, func(scan func(...any) error) error {
		var image, number sqlitefile.Number
		var text sqlitefile.Text
		if err := scan(&image, &number, &text); err != nil {
			return err
		}
		if len(c.rows[int64(image)]) < 2*bring.MaximumValues && (len(c.rows) < bring.MaximumItems || c.rows[int64(image)] != nil) {
			c.rows[int64(image)] = append(c.rows[int64(image)], row{int64(number), bring.Text(string(text), bring.MaximumDescription)})
		}
		return nil
	}, c.query)
}
