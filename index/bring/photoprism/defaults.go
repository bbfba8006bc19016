package photoprism

// maximumFile bounds one YAML file, and maximumAlbumPhotos the photos of an album.
const (
	maximumFile        = 16 << 20
	maximumAlbumPhotos = 1_000_000
)
