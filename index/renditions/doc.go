// Package renditions makes the larger pictures that a viewer shows: a JPEG of at most
// [Side] pixels, and the tiles of a pyramid for looking closely, of any format that is
// read. They are made when first asked for and kept in a folder of bounded size:
//
//	renditions/
//	  3f/3f9a….1600     one JPEG
//	  3f/3f9a….tiles    all tiles of a picture, one after the other
//
// A picture is decoded once for all of its tiles, and once for all who ask at a time. The
// names are hashes of contents, so that nothing here is ever stale. Files appear whole
// or not at all, those used last are kept, and the folder can be deleted at any time.
//
// There are caches on disk in the wild, but none that is bounded in bytes, shared by
// processes that know nothing of each other and without a database of its own: here, the
// times of the files are the order of their use.
package renditions
