// Package ocr reads the words in pictures with PP-OCR's models (arXiv 2009.09941 and later), as PaddleOCR and RapidOCR publish
// them in ONNX: a detector that marks the pixels of lines, a classifier that tells lines that stand on their heads, and a
// recogniser that reads a line.
//
//	detect.go     from a picture to the boxes of its lines
//	rectangle.go  the smallest rectangle around points
//	warp.go       a line cut out of the picture, upright
//	recognise.go  from a line to its text (CTC)
//	reader.go     all of it
//
// Numbers follow RapidOCR 3.10 with its defaults.
package ocr
