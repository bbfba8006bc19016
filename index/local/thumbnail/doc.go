// Package thumbnail keeps a small JPEG of each image content, and makes those that are
// missing from the originals.
package thumbnail
