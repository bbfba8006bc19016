// Package lightroom reads catalogs of Lightroom Classic (.lrcat, versions 3 to 14). Adobe does not publish their tables;
// those that are read here are the ones that many published dumps of catalogs have in common. What a catalog lacks of
// them is passed over, but for the four that say where pictures lie.
package lightroom

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/binary"
	"io"
	"strings"

	"mekiki/index/bring"
	"mekiki/index/bring/sqlitefile"
	"mekiki/index/metadata"
)

// ordinaryCollection is the kind of a collection that a person filled, and quickCollection the name of the one that
// Lightroom keeps for itself.
const (
	ordinaryCollection = "com.adobe.ag.library.collection"
	quickCollection    = "quick collection"
	personKeyword      = "person"
	flagged            = 1
)

// Source gives what a catalog says.
func Source(file string) bring.Source {
	return func(ctx context.Context, sink bring.Sink) (err error) {
		db, err := sqlitefile.Open(ctx, file, "Lightroom")
		if err != nil {
			return err
		}
		defer func() {
			if closeErr := db.Close(); err == nil {
				err = closeErr
			}
		}()
		if err := db.Require(ctx, "AgLibraryRootFolder", "AgLibraryFolder", "AgLibraryFile", "Adobe_images"); err != nil {
			return err
		}
		r := reader{db: db, sink: sink}
		for _, read := range []func(context.Context) error{r.readKeywords, r.readCollections, r.readCaptions} {
			if err := read(ctx); err != nil {
				return err
			}
		}
		return r.readImages(ctx)
	}
}

// name is a keyword or a collection.
type name struct {
	parent int64
	text   string
	kind   string
}

type reader struct {
	db          *sqlitefile.File
	sink        bring.Sink
	keywords    map[int64]name
	ofImage     map[int64][]int64 // keywords
	collections map[int64]name
	inCollect   map[int64][]int64
	captions    map[int64]string
}

// names reads a table of names that lie in each other.
func (r *reader) names(ctx context.Context, query string) (map[int64]name, error) {
	names := map[int64]name{}
	return names, r.db.Each(ctx, func(scan func(...any) error) error {
		var id, parent sqlitefile.Number
		var text, kind sqlitefile.Text
		if err := scan(&id, &parent, &text, &kind); err != nil {
			return err
		}
		names[int64(id)] = name{int64(parent), bring.Text(string(text), bring.MaximumWord), string(kind)}
		return nil
	}, query, maximumNames)
}

// pairs reads which images have which names.
func (r *reader) pairs(ctx context.Context, query string) (map[int64][]int64, error) {
	pairs := map[int64][]int64{}
	return pairs, r.db.Each(ctx, func(scan func(...any) error) error {
		var image, id sqlitefile.Number
		if err := scan(&image, &id); err != nil {
			return err
		}
		if list := pairs[int64(image)]; len(list) < bring.MaximumValues && (list != nil || len(pairs) < bring.MaximumItems) {
			pairs[int64(image)] = append(list, int64(id))
		}
		return nil
	}, query)
}

func (r *reader) has(ctx context.Context, tables ...string) (bool, error) {
	for _, table := range tables {
		if has, err := r.db.Has(ctx, table, ""); err != nil || !has {
			return false, err
		}
	}
	return true, nil
}

func (r *reader) readKeywords(ctx context.Context) error {
	has, err := r.has(ctx, "AgLibraryKeyword", "AgLibraryKeywordImage")
	if err != nil || !has {
		return err
	}
	kind := "''"
	if typed, err := r.db.Has(ctx, "AgLibraryKeyword", "keywordType"); err != nil {
		return err
	} else if typed {
		kind = "keywordType"
	}
	if r.keywords, err = r.names(ctx, "SELECT id_local, parent, substr(name, 1, 1000), "+kind+" FROM AgLibraryKeyword LIMIT ?"); err != nil {
		return err
	}
	r.ofImage, err = r.pairs(ctx, "SELECT image, tag FROM AgLibraryKeywordImage ORDER BY image, tag")
	return err
}

func (r *reader) readCollections(ctx context.Context) error {
	has, err := r.has(ctx, "AgLibraryCollection", "AgLibraryCollectionImage")
	if err != nil || !has {
		return err
	}
	if r.collections, err = r.names(ctx, "SELECT id_local, parent, substr(name, 1, 1000), creationId FROM AgLibraryCollection LIMIT ?"); err != nil {
		return err
	}
	r.inCollect, err = r.pairs(ctx, "SELECT image, collection FROM AgLibraryCollectionImage ORDER BY image, collection")
	return err
}

func (r *reader) readCaptions(ctx context.Context) error {
	r.captions = map[int64]string{}
	if has, err := r.has(ctx, "AgLibraryIPTC"); err != nil || !has {
		return err
	}
	return r.db.Each(ctx, func(scan func(...any) error) error {
		var image sqlitefile.Number
		var caption sqlitefile.Text
		if err := scan(&image, &caption); err != nil {
			return err
		}
		if len(r.captions) < bring.MaximumItems {
			r.captions[int64(image)] = bring.Text(string(caption), bring.MaximumDescription)
		}
		return nil
	}, "SELECT image, substr(caption, 1, 100000) FROM AgLibraryIPTC WHERE caption <> ''")
}

// path gives a name with the names above it; names without a text, such as that of the root, are passed over.
func path(names map[int64]name, id int64) string {
	var levels []string
	for range maximumLevels {
		known, ok := names[id]
		if !ok {
			break
		}
		if known.text != "" {
			levels = append([]string{strings.NewReplacer("/", "-", "|", "-").Replace(known.text)}, levels...)
		}
		id = known.parent
	}
	return strings.Join(levels, "/")
}

func (r *reader) readImages(ctx context.Context) error {
	xmp, join := "NULL", ""
	if has, err := r.db.Has(ctx, "Adobe_AdditionalMetadata", "xmp"); err != nil {
		return err
	} else if has {
		xmp, join = "Adobe_AdditionalMetadata.xmp", " LEFT JOIN Adobe_AdditionalMetadata ON Adobe_AdditionalMetadata.image = Adobe_images.id_local"
	}
	return r.db.Each(ctx, func(scan func(...any) error) error {
		var id, rating, pick sqlitefile.Number
		var root, folder, base, extension, captured, format, packet sqlitefile.Text
		if err := scan(&id, &root, &folder, &base, &extension, &rating, &pick, &captured, &format, &packet); err != nil {
			return err
		}
		if strings.EqualFold(string(format), "VIDEO") || base == "" {
			return nil
		}
		file := string(base)
		if extension != "" {
			file += "." + string(extension)
		}
		item := bring.Item{
			Path: string(root) + string(folder) + file, Name: file, Favourite: pick == flagged,
			Date: sqlitefile.Clock(captured), Description: r.captions[int64(id)],
		}
		if stars := int(rating); stars >= 1 && stars <= 5 {
			item.Rating = &stars
		}
		r.addNames(&item, int64(id))
		addPacket(ctx, &item, []byte(packet))
		return r.sink.Item(item)
	}, `SELECT Adobe_images.id_local, AgLibraryRootFolder.absolutePath, AgLibraryFolder.pathFromRoot, AgLibraryFile.baseName, AgLibraryFile.extension,
		Adobe_images.rating, Adobe_images.pick, Adobe_images.captureTime, Adobe_images.fileFormat, `+xmp+`
		FROM Adobe_images JOIN AgLibraryFile ON AgLibraryFile.id_local = Adobe_images.rootFile
		JOIN AgLibraryFolder ON AgLibraryFolder.id_local = AgLibraryFile.folder
		JOIN AgLibraryRootFolder ON AgLibraryRootFolder.id_local = AgLibraryFolder.rootFolder`+join+` ORDER BY Adobe_images.id_local`)
}

func (r *reader) addNames(item *bring.Item, id int64) {
	for _, keyword := range r.ofImage[id] {
		known, ok := r.keywords[keyword]
		switch {
		case !ok || known.text == "":
		case known.kind == personKeyword:
			item.People = append(item.People, known.text)
		default:
			item.Tags = append(item.Tags, path(r.keywords, keyword))
		}
	}
	item.Tags = bring.Leaves(item.Tags)
	for _, collection := range r.inCollect[id] {
		if known := r.collections[collection]; known.kind == ordinaryCollection && !strings.EqualFold(known.text, quickCollection) {
			item.Albums = append(item.Albums, path(r.collections, collection))
		}
	}
}

// addPacket adds what is only in the XMP that a catalog keeps of a picture: its title, and a description where there is
// none. Since version 7 it is compressed: four bytes with its length, then zlib.
func addPacket(ctx context.Context, item *bring.Item, packet []byte) {
	if len(packet) > 4 && !bytes.HasPrefix(bytes.TrimSpace(packet), []byte("<")) {
		inflated, err := zlib.NewReader(bytes.NewReader(packet[4:]))
		if err != nil {
			return
		}
		length := min(int64(binary.BigEndian.Uint32(packet)), metadata.MaxSidecarBytes)
		packet, _ = io.ReadAll(io.LimitReader(inflated, length)) // what was read before damage counts
	}
	if len(packet) == 0 {
		return
	}
	said := metadata.Read(ctx, metadata.Source{Sidecars: []metadata.Sidecar{{Name: "catalog.xmp", Data: packet}}})
	item.Title = said.Title
	if item.Description == "" {
		item.Description = said.Description
	}
}
