package metadata

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// container is a kind of file that exiftool writes, and the picture to begin with.
type container struct {
	extension, seed string
	// writes are the groups of tags that exiftool writes there.
	writes string
	before []string
}

var containers = []container{
	{".jpg", "jpeg_420_5x3.jpg", "EXIF IPTC XMP", nil},
	{".png", "png_rgb.png", "EXIF IPTC XMP PNG", nil},
	{".webp", "webp_lossy_3x5.webp", "EXIF XMP", nil},
	{".tif", "tiff_raw.tif", "EXIF IPTC XMP", nil},
	{".dng", "tiff_raw.tif", "EXIF IPTC XMP", []string{"-DNGVersion=1 4 0 0"}},
	{".heic", "heic_420.heic", "EXIF XMP", nil},
	{".avif", "avif_420.avif", "EXIF XMP", nil},
	{".jxl", "jxl_lossy.jxl", "EXIF XMP", nil},
	{".gif", "gif_still.gif", "XMP", nil},
}

// variant is one way of saying something about a picture: arguments of exiftool.
type variant struct {
	group     string
	arguments []string
}

// variants are every field that is read, as every source writes it.
var variants = []variant{
	{"EXIF", []string{"-EXIF:DateTimeOriginal=2024:03:01 01:30:00"}},
	{"EXIF", []string{"-EXIF:CreateDate=2023:12:31 23:59:59"}},
	{"EXIF", []string{"-EXIF:ModifyDate=1999:05:06 07:08:09"}},
	{"EXIF", []string{"-EXIF:DateTimeOriginal=2024:03:01 01:30:00", "-EXIF:SubSecTimeOriginal=257", "-EXIF:OffsetTimeOriginal=+09:00"}},
	{"EXIF", []string{"-EXIF:CreateDate=2024:03:01 01:30:00", "-EXIF:SubSecTimeDigitized=5", "-EXIF:OffsetTimeDigitized=-03:30"}},
	{"EXIF", []string{"-EXIF:ModifyDate=2024:03:01 01:30:00", "-EXIF:SubSecTime=05", "-EXIF:OffsetTime=Z"}},
	{"EXIF", []string{"-EXIF:DateTimeOriginal#=0000:00:00 00:00:00", "-EXIF:CreateDate=2024:03:01 01:30:00"}},
	{"EXIF", []string{"-EXIF:DateTimeOriginal#=    :  :     :  :  ", "-EXIF:CreateDate=2024:03:01 01:30:00"}},
	{"EXIF", []string{"-EXIF:DateTimeOriginal#=nonsense", "-EXIF:ModifyDate=2024:03:01 01:30:00"}},
	{"EXIF", []string{"-EXIF:GPSLatitude=48.8584", "-EXIF:GPSLatitudeRef=N", "-EXIF:GPSLongitude=2.2945", "-EXIF:GPSLongitudeRef=E"}},
	{"EXIF", []string{"-EXIF:GPSLatitude=33.8568", "-EXIF:GPSLatitudeRef=S", "-EXIF:GPSLongitude=70.2153", "-EXIF:GPSLongitudeRef=W"}},
	{"EXIF", []string{"-InteropIndex=R98", "-InteropVersion=0100", "-EXIF:GPSLatitude=48.8584", "-EXIF:GPSLatitudeRef=N", "-EXIF:GPSLongitude=2.2945", "-EXIF:GPSLongitudeRef=E"}},
	{"EXIF", []string{"-EXIF:GPSLatitude=0", "-EXIF:GPSLatitudeRef=N", "-EXIF:GPSLongitude=0", "-EXIF:GPSLongitudeRef=E"}},
	{"EXIF", []string{"-EXIF:DateTimeOriginal=2024:07:01 01:30:00", "-EXIF:ModifyDate=2024:12:01 01:30:00", "-EXIF:OffsetTimeOriginal=+02:00", "-EXIF:OffsetTime=+01:00"}},
	{"EXIF", []string{"-EXIF:DateTimeOriginal=2024:07:01 01:30:00", "-EXIF:ModifyDate=2024:12:01 01:30:00", "-EXIF:OffsetTime=+01:00"}},
	{"EXIF", []string{"-EXIF:DateTimeOriginal=2024:07:01 21:30:20", "-EXIF:GPSDateStamp=2024:07:01", "-EXIF:GPSTimeStamp=12:30:00"}},
	{"EXIF", []string{"-EXIF:GPSDateStamp=2021:07:08", "-EXIF:GPSTimeStamp=09:10:11"}},
	{"EXIF", []string{"-EXIF:XPTitle=Ein Titel ü 東京"}},
	{"EXIF", []string{"-EXIF:XPComment=Kommentar č"}},
	{"EXIF", []string{"-EXIF:XPSubject=Betreff"}},
	{"EXIF", []string{"-EXIF:XPKeywords=eins;zwei ü;drei"}},
	{"EXIF", []string{"-EXIF:XPAuthor=Zoë Author"}},
	{"EXIF", []string{"-EXIF:ImageDescription=a plain description"}},
	{"EXIF", []string{"-EXIF:ImageDescription=Straßenfest in Köln"}},
	{"EXIF", []string{"-EXIF:UserComment=an ASCII comment"}},
	{"EXIF", []string{"-EXIF:UserComment=ein Kommentar äöü 京都"}},
	{"EXIF", []string{"-EXIF:Artist=Ansel Easel"}},
	{"EXIF", []string{"-EXIF:Copyright=(c) 2024 Someone"}},
	{"EXIF", []string{"-EXIF:Rating=4"}},
	{"EXIF", []string{"-EXIF:Rating=0"}},
	{"EXIF", []string{"-EXIF:RatingPercent=75"}},
	{"EXIF", []string{"-EXIF:Make=Canon", "-EXIF:Model=Canon EOS R5", "-EXIF:LensModel=RF50mm F1.8 STM"}},
	{"EXIF", []string{"-EXIF:Make=NIKON CORPORATION", "-EXIF:Model=NIKON D850"}},
	{"EXIF", []string{"-EXIF:Make=Apple", "-EXIF:Model=iPhone 13 Pro"}},
	{"EXIF", []string{"-EXIF:Orientation#=6"}},
	{"IPTC", []string{"-codedcharacterset=utf8", "-IPTC:Keywords=dänemark", "-IPTC:Keywords=coast", "-IPTC:City=Zürich"}},
	{"IPTC", []string{"-IPTC:Keywords=dänemark", "-IPTC:Caption-Abstract=Straßenfest"}},
	{"IPTC", []string{"-codedcharacterset=utf8", "-IPTC:Keywords=東京タワー", "-IPTC:Headline=Überschrift"}},
	{"IPTC", []string{"-IPTC:ObjectName=An object's name"}},
	{"IPTC", []string{"-IPTC:Headline=A headline"}},
	{"IPTC", []string{"-IPTC:Sub-location=Market", "-IPTC:City=Oslo", "-IPTC:Province-State=Oslo", "-IPTC:Country-PrimaryLocationName=Norway"}},
	{"IPTC", []string{"-IPTC:By-line=A. Writer", "-IPTC:By-line=B. Writer"}},
	{"IPTC", []string{"-IPTC:CopyrightNotice=A notice"}},
	{"IPTC", []string{"-IPTC:DateCreated=2001:02:03"}},
	{"IPTC", []string{"-IPTC:DateCreated=2001:02:03", "-IPTC:TimeCreated=04:05:06+02:00"}},
	{"IPTC", []string{"-IPTC:DigitalCreationDate=2001:02:03", "-IPTC:DigitalCreationTime=04:05:06-08:00"}},
	{"XMP", []string{"-XMP-dc:Subject=one", "-XMP-dc:Subject=two ü", "-XMP-dc:Subject=東京"}},
	{"XMP", []string{"-XMP-dc:Title=A title", "-XMP-dc:Title-de=Ein Titel"}},
	{"XMP", []string{"-XMP-dc:Description=A longer text & more <of> it\nin two lines"}},
	{"XMP", []string{"-XMP-dc:Creator=Anna", "-XMP-dc:Creator=Bert"}},
	{"XMP", []string{"-XMP-dc:Rights=All rights"}},
	{"XMP", []string{"-XMP-photoshop:Headline=XMP headline"}},
	{"XMP", []string{"-XMP-xmp:Rating=5"}},
	{"XMP", []string{"-XMP-xmp:Rating=-1"}},
	{"XMP", []string{"-XMP-xmp:Rating=0"}},
	{"XMP", []string{"-XMP-xmp:Rating=3.5"}},
	{"XMP", []string{"-XMP-microsoft:RatingPercent=50"}},
	{"XMP", []string{"-XMP-xmp:Label=Red"}},
	{"XMP", []string{"-XMP-digiKam:ColorLabel=3"}},
	{"XMP", []string{"-XMP-xmp:CreateDate=2024:03:01 01:30:00"}},
	{"XMP", []string{"-XMP-xmp:CreateDate=2024:03:01 01:30:00.75+05:45"}},
	{"XMP", []string{"-XMP-exif:DateTimeOriginal=2024:03:01 01:30:00-11:00"}},
	{"XMP", []string{"-XMP-exif:DateTimeDigitized=2024:03:01 01:30"}},
	{"XMP", []string{"-XMP-photoshop:DateCreated=1965"}},
	{"XMP", []string{"-XMP-photoshop:DateCreated=1965:07"}},
	{"XMP", []string{"-XMP-photoshop:DateCreated=1965:07:04"}},
	{"XMP", []string{"-XMP-photoshop:DateCreated=1965:07:04 10:20Z"}},
	{"XMP", []string{"-XMP-lr:HierarchicalSubject=Places|Japan|Kyoto", "-XMP-dc:Subject=Kyoto", "-XMP-dc:Subject=temple"}},
	{"XMP", []string{"-XMP-digiKam:TagsList=People/Alice", "-XMP-digiKam:TagsList=Places/Oslo"}},
	{"XMP", []string{"-XMP-microsoft:LastKeywordXMP=Animals/Dog"}},
	{"XMP", []string{"-XMP-mediapro:People=Carla Media", "-XMP-mediapro:CatalogSets=Trips|Rome"}},
	{"XMP", []string{"-XMP-iptcExt:PersonInImage=Dora Person", "-XMP-iptcExt:PersonInImage=Emil Ünal"}},
	{"XMP", []string{"-XMP-mwg-rs:RegionInfo={AppliedToDimensions={W=5,H=3,Unit=pixel},RegionList=[{Area={X=0.5,Y=0.5,W=0.1,H=0.1,Unit=normalized},Name=Zebediah Quux,Type=Face},{Area={X=0.2,Y=0.5,W=0.1,H=0.1,Unit=normalized},Name=Fido,Type=Pet}]}"}},
	{"XMP", []string{"-XMP-MP:RegionInfoMP={Regions=[{PersonDisplayName=Frida Frame,Rectangle=0.1\\, 0.1\\, 0.2\\, 0.2}]}"}},
	{"XMP", []string{"-XMP-exif:GPSLatitude=-33.8568", "-XMP-exif:GPSLongitude=151.2153"}},
	{"XMP", []string{"-XMP-iptcCore:Location=Old Town", "-XMP-photoshop:City=Riga", "-XMP-photoshop:Country=Latvia"}},
	{"XMP", []string{"-XMP-iptcExt:LocationShown={City=Bergen,CountryName=Norway}"}},
	{"XMP", []string{"-XMP-aux:Lens=EF85mm f/1.2L"}},
	{"XMP", []string{"-XMP-tiff:Make=Leica", "-XMP-tiff:Model=Q3"}},
	{"XMP", []string{"-XMP-exif:UserComment=said in XMP"}},
	{"XMP", []string{"-XMP-acdsee:Caption=ACDSee caption", "-XMP-acdsee:Keywords=acd one", "-XMP-acdsee:Rating=2"}},
	{"PNG", []string{"-PNG:Title=A PNG title", "-PNG:Description=A PNG text"}},
	{"PNG", []string{"-PNG:Author=PNG author", "-PNG:Copyright=PNG rights"}},
	{"PNG", []string{"-PNG:Comment=A PNG comment ü"}},
	{"PNG", []string{"-PNG:CreationTime=2010:11:12 13:14:15"}},
}

// requireExiftool skips a test where exiftool is missing, and fails where it may not be.
func requireExiftool(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("exiftool")
	if err != nil {
		if os.Getenv("MEKIKI_REQUIRE_EXIFTOOL") != "" {
			t.Fatal("exiftool is missing, and MEKIKI_REQUIRE_EXIFTOOL says that it must not be")
		}
		t.Skip("exiftool is missing: it is what the values are compared with")
	}
	return path
}

// writeCorpus makes every variant in every container that can hold it, and mixtures of
// several in one file.
func writeCorpus(t *testing.T, exiftool string) string {
	t.Helper()
	folder := t.TempDir()
	var script bytes.Buffer
	add := func(kind container, name string, arguments []string) {
		data, err := os.ReadFile(filepath.Join("../../embed/pixels/testdata/files", kind.seed))
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(folder, name+kind.extension)
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		for _, argument := range append(kind.before, arguments...) {
			script.WriteString(strings.ReplaceAll(argument, "\n", " ") + "\n")
		}
		script.WriteString("-q\n-q\n-m\n-overwrite_original\n" + path + "\n-execute\n")
	}
	random := rand.New(rand.NewPCG(1, 2))
	for _, kind := range containers {
		var possible []variant
		for i, each := range variants {
			if strings.Contains(kind.writes, each.group) {
				possible = append(possible, each)
				add(kind, fmt.Sprintf("%02d", i), each.arguments)
			}
		}
		for i := range 20 {
			var arguments []string
			for range 6 {
				arguments = append(arguments, possible[random.IntN(len(possible))].arguments...)
			}
			add(kind, fmt.Sprintf("mixed%02d", i), arguments)
		}
	}
	command := exec.Command(exiftool, "-charset", "filename=utf8", "-@", "-")
	command.Stdin = &script
	if output, err := command.CombinedOutput(); err != nil {
		t.Logf("exiftool: %v\n%s", err, output)
	}
	return folder
}

// said is what exiftool prints of one file.
type said map[string]any

func askExiftool(t *testing.T, exiftool, folder string) []said {
	t.Helper()
	output, err := exec.Command(exiftool, "-j", "-G1", "-n", "-r", "-api", "struct=0", "-charset", "iptc=latin", folder).Output()
	if err != nil && len(output) == 0 {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(output))
	decoder.UseNumber()
	var list []said
	if err := decoder.Decode(&list); err != nil {
		t.Fatal(err)
	}
	for _, printed := range list { // of a text in a language the name says which
		for tag, value := range printed {
			if plain, _, isText := strings.Cut(tag, "-"); isText && strings.HasPrefix(tag, "PNG:") && printed[plain] == nil {
				printed[plain] = value
			}
		}
	}
	return list
}

// all gives the values of the tags that a file has, in order.
func (s said) all(tags ...string) (values []string) {
	for _, tag := range tags {
		switch value := s[tag].(type) {
		case nil:
		case []any:
			for _, each := range value {
				values = append(values, fmt.Sprint(each))
			}
		default:
			values = append(values, strings.TrimSpace(fmt.Sprint(value)))
		}
	}
	return values
}

func (s said) first(tags ...string) string { return first(s.all(tags...)...) }
