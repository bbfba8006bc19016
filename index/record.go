package index

import (
	"encoding/hex"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// ID names one record for ever: it is never reused, and zero is not an ID.
type ID uint64

// String gives the decimal form, which [ParseID] reads.
func (id ID) String() string { return strconv.FormatUint(uint64(id), 10) }

// ParseID reads the decimal form of an ID.
func ParseID(text string) (ID, error) {
	number, err := strconv.ParseUint(text, 10, 64)
	if err != nil || number == 0 {
		return 0, fmt.Errorf("%q is not a record id: expected a number above zero", text)
	}
	return ID(number), nil
}

// IDs gives the IDs of records; zero where there is none.
func IDs(records []*Record) []ID {
	ids := make([]ID, len(records))
	for i, record := range records {
		if record != nil {
			ids[i] = record.ID
		}
	}
	return ids
}

// Hash is the SHA-256 of a record's content: of the file's bytes for an image,
// of the text (and external id) for a text.
type Hash [32]byte

// String gives the hash in lower-case hexadecimal.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// IsZero reports whether the hash was never set.
func (h Hash) IsZero() bool { return h == Hash{} }

// Kind tells images from texts.
type Kind uint8

const (
	// KindImage is a record of one image, however many files hold it.
	KindImage Kind = 1
	// KindText is a record of one text.
	KindText Kind = 2
)

// String gives "image" or "text".
func (k Kind) String() string {
	switch k {
	case KindImage:
		return "image"
	case KindText:
		return "text"
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// ParseKind reads what [Kind.String] gives.
func ParseKind(text string) (Kind, error) {
	switch strings.ToLower(text) {
	case "image":
		return KindImage, nil
	case "text":
		return KindText, nil
	}
	return 0, fmt.Errorf("%q is not a kind: expected image or text", text)
}

// Record is what the catalog knows of one image or one text. The records that
// a library gives are shared: read them, never write to them.
type Record struct {
	// ID is given by the library when the record is first written.
	ID ID
	// Kind says whether this is an image or a text.
	Kind Kind
	// Hash identifies the content; two records never share one.
	Hash Hash
	// Files are the files that hold this content now, oldest first. Texts
	// have none, or the file they were read from.
	Files []File
	// Format is the image format in lower case: "jpeg", "png", "webp", ...
	Format string
	// Width and Height are in pixels, after orientation.
	Width, Height int
	// Bytes is the length of the content.
	Bytes int64
	// Added is when the content first came in.
	Added time.Time
	// Metadata is what the file says about itself.
	Metadata Metadata
	// Tags are the user's own words, sorted, without duplicates.
	Tags []string
	// Given is what else people gave it; nil for nothing.
	Given *Given
	// Captions are generated descriptions, best first.
	Captions []Caption
	// OCR is what the picture says; nil while nobody has read it.
	OCR *OCR
	// Text is the content of a text record.
	Text string
	// ExternalID is the user's own id of a text record; it may be empty.
	ExternalID string
	// Fields are further named values of a text record.
	Fields map[string]string
	// PerceptualHash is near (in Hamming distance) for images that look alike.
	PerceptualHash uint64
	// Damage says what is wrong with a picture that could be read only in
	// part, such as a JPEG that ends early; "" for a whole one.
	Damage string
	// MetadataVersion is the version of the reader that read Metadata. Records
	// of a lower version than the present one's are read again.
	MetadataVersion int
	// Sequence is the commit that wrote the record last.
	Sequence uint64
}

// Paths lists the paths of the record's files.
func (r *Record) Paths() []string {
	paths := make([]string, len(r.Files))
	for i, file := range r.Files {
		paths[i] = file.Path
	}
	return paths
}

// Path is the record's first path, or "" when it has none.
func (r *Record) Path() string {
	if len(r.Files) == 0 {
		return ""
	}
	return r.Files[0].Path
}

// Modified is the modification time of the record's first file, or the zero
// time.
func (r *Record) Modified() time.Time {
	if len(r.Files) == 0 {
		return time.Time{}
	}
	return r.Files[0].Modified
}

// Date is when people or the file say that the picture was taken or, failing that, when
// it was last modified or, for texts, added. Date filters and sorting by date use it.
func (r *Record) Date() time.Time {
	if taken := r.Taken(); !taken.IsZero() {
		return taken
	}
	if modified := r.Modified(); !modified.IsZero() {
		return modified
	}
	return r.Added
}

// Caption is the best generated caption's text, or "".
func (r *Record) Caption() string {
	if len(r.Captions) == 0 {
		return ""
	}
	return r.Captions[0].Text
}

// File is one path that holds a record's content. Bytes, Modified and Inode
// are what the file system said when the content was hashed: a file for which
// it says the same is taken to be unchanged.
type File struct {
	// Path is absolute and clean, but for what was uploaded to a library on a cluster: see package index/cluster/uploaded.
	Path string
	// Bytes is the file's size.
	Bytes int64
	// Modified is the file's modification time.
	Modified time.Time
	// Inode is the file's number, or zero where there is none.
	Inode uint64
	// Name is what an uploaded file was called where it came from, with the
	// folder it was put in: "Holiday 2024/IMG_0042.jpg", slash-separated and
	// relative. It is "" for files whose path says it.
	Name string
	// Sidecars stands for the names, sizes and times of the files beside this
	// one that describe it; zero when there are none.
	Sidecars uint64
	// MountLength is the length of the leading part of Path that was the mount
	// point of the file's drive, the deepest of them; zero where there is none but
	// the root of the file system.
	MountLength int
	// RootLength is the length of the leading part of Path that was the folder
	// that was indexed; zero when it is not known. The folders below it say
	// something of the picture.
	RootLength int
}

// InStore reports whether the file lies in the store of a library on a cluster, and in no folder of any machine.
func (f File) InStore() bool { return !filepath.IsAbs(f.Path) }

// MovedTo is the same file at another path, of whose place in folders and on drives nothing is known.
func (f File) MovedTo(path string) File {
	f.Path, f.Inode, f.MountLength, f.RootLength = path, 0, 0, 0
	return f
}

// Same reports whether two stamps of one path are equal, the sidecars' included.
func (f File) Same(other File) bool {
	return f.SameContent(other) && f.Sidecars == other.Sidecars
}

// SameContent reports whether two stamps of one path are equal but for their
// sidecars.
func (f File) SameContent(other File) bool {
	return f.Path == other.Path && f.Bytes == other.Bytes && f.Inode == other.Inode && f.Modified.Equal(other.Modified)
}

// Metadata is what an image file says about itself, and what the files beside it
// say of it.
type Metadata struct {
	// Taken is what the camera's clock showed when the picture was taken, as if
	// it were UTC; zero when unknown. See TakenOffset for the moment.
	Taken time.Time
	// TakenOffset is how far the camera's clock was ahead of UTC, where the
	// picture says so: the moment is Taken less this. Nil when unknown.
	TakenOffset *time.Duration
	// TakenSource names what said so: "exif", "xmp", "iptc", "png", "sidecar",
	// "takeout", "gps" or "name".
	TakenSource string
	// Camera is maker and model; Lens the lens model.
	Camera, Lens string
	// Place is the location in words, such as "Kyoto, Japan".
	Place string
	// Title and Description are the author's own words.
	Title, Description string
	// Creator and Copyright name the author and the terms.
	Creator, Copyright string
	// Keywords are the author's own tags. The levels of a hierarchical one are
	// separated by slashes: "Places/Japan/Kyoto".
	Keywords []string
	// People are the names of those who are in the picture.
	People []string
	// Rating is from 1 to 5, or -1 for a rejected picture; nil when unrated.
	Rating *int
	// Label is the author's colour label, such as "Red".
	Label string
	// Generation is what the program that generated the picture wrote of how:
	// prompt and settings.
	Generation string
	// Latitude and Longitude are in degrees; both nil when unknown.
	Latitude, Longitude *float64
	// Orientation is EXIF's 1 to 8, or zero when unknown. Pixels, width and
	// height of the record have it applied already.
	Orientation int
}

// Zone gives how far the camera's clock was ahead of UTC as "+09:00", or "" when that
// is unknown.
func (m *Metadata) Zone() string {
	if m.TakenOffset == nil {
		return ""
	}
	return m.Taken.In(time.FixedZone("", int(*m.TakenOffset/time.Second))).Format("-07:00")
}

// Caption is one generated description of an image.
type Caption struct {
	// Text is the caption.
	Text string
	// Match is the probability, by image-text matching, that it describes
	// the image: 0 to 1, or negative when it was not computed.
	Match float32
	// Model is the fingerprint of the model that wrote it.
	Model string
	// Prompt is what a language model went on with; "" where it was given nothing, or is none.
	Prompt string
}

// Failure is a file that could not be indexed. It is kept until the file
// changes or goes away, so that it is not tried again in vain.
type Failure struct {
	// File is the path with the stamp it had when it failed.
	File File
	// Reason is a sentence for people.
	Reason string
	// Hash is the content's hash where it could be read.
	Hash Hash
	// Time is when it failed.
	Time time.Time
	// Replaced is the content that the path held before it failed, or zero.
	Replaced Hash
}

// Kept is what people gave a picture that has lost its last file. It comes back
// with the picture's content.
type Kept struct {
	// Hash identifies the content.
	Hash Hash
	// Tags are the record's tags.
	Tags []string
	// Given is what else people gave it; nil for nothing.
	Given *Given
	// Added is when the content first came in.
	Added time.Time
	// Path is the last path that held the content.
	Path string
	// Lost is when the last file went, or when the picture was removed for good.
	Lost time.Time
	// Purged says that a person removed the picture for good: then nothing else is kept of it, and that it is not to
	// come back by itself is, without an end.
	Purged bool
}

// Until is when the library forgets what it keeps of a picture that lost its files.
func (k Kept) Until() time.Time { return k.Lost.Add(KeptFor) }

// Expired reports whether the library is to forget it by now.
func (k Kept) Expired(now time.Time) bool { return !k.Purged && !k.Until().After(now) }
