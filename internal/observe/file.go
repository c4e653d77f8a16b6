package observe

import (
	"bytes"

	"xiezhi/internal/exchange"
	"xiezhi/internal/sensitive"
)

// MaxUploads is how many files of a request are kept.
const MaxUploads = 8

// FileKind is what a file is.
type FileKind uint8

const (
	FileNone      FileKind = iota
	FileSheet              // xlsx, ods
	FileOldSheet           // xls
	FileTable              // csv, tsv
	FileDocument           // docx, doc, odt, rtf
	FileSlides             // pptx, ppt
	FilePDF                //
	FileArchive            // zip, rar, 7z, tar, gzip, bzip2, xz, zstd
	FileDatabase           // SQLite, Access, Redis dump
	FileSQL                // dump of SQL statements
	FileImage              //
	FileMedia              // audio, video, font
	FileProgram            // exe, elf, jar, class, apk
	FileKey                // PEM, PKCS#12, Java key store
	FileOther              // offered or sent as a file, of no known kind
	fileKindCount          //
)

var fileKindNames = [...]string{"", "spreadsheet", "spreadsheet_old", "table", "document", "slides", "pdf", "archive", "database", "sql", "image", "media", "program", "key", "other"}

func (k FileKind) String() string { return fileKindNames[min(int(k), len(fileKindNames)-1)] }

// File is what is known of a file that a response gives or a request brings.
type File struct {
	Kind       FileKind
	Name       string // form of its name: words that files are called by, and the ending: "用户导出{}.xlsx"
	Field      string // form field that brings it
	Bytes      uint64
	Rows       uint32 // rows of data, where they could be counted
	Attachment bool   // the response says that it is to be saved
}

// fileMagic tells a file by its first bytes.
func fileMagic(b []byte) FileKind {
	if len(b) < 4 {
		return FileNone
	}
	switch b[0] {
	case 'P':
		if bytes.HasPrefix(b, []byte("PK\x03\x04")) || bytes.HasPrefix(b, []byte("PK\x05\x06")) {
			return archiveKind(b)
		}
	case 0xD0:
		if bytes.HasPrefix(b, []byte("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1")) {
			return oleKind(b)
		}
	case '%':
		if bytes.HasPrefix(b, []byte("%PDF-")) {
			return FilePDF
		}
	case 'R':
		switch {
		case bytes.HasPrefix(b, []byte("Rar!\x1A\x07")):
			return FileArchive
		case bytes.HasPrefix(b, []byte("REDIS0")):
			return FileDatabase
		case bytes.HasPrefix(b, []byte("RIFF")):
			return FileMedia
		}
	case '7':
		if bytes.HasPrefix(b, []byte("7z\xBC\xAF\x27\x1C")) {
			return FileArchive
		}
	case 'S':
		if bytes.HasPrefix(b, []byte("SQLite format 3\x00")) {
			return FileDatabase
		}
	case 0x00:
		if bytes.HasPrefix(b, []byte("\x00\x01\x00\x00Standard ")) { // Access
			return FileDatabase
		}
		if len(b) > 8 && bytes.HasPrefix(b[4:], []byte("ftyp")) {
			return FileMedia
		}
	case 0x1F:
		if b[1] == 0x8B && b[2] == 8 {
			return FileArchive
		}
	case 'B':
		if bytes.HasPrefix(b, []byte("BZh")) && b[3]-'1' < 9 {
			return FileArchive
		}
		if bytes.HasPrefix(b, []byte("BM")) && len(b) > 14 && b[6]|b[7]|b[8]|b[9] == 0 {
			return FileImage
		}
	case 0xFD:
		if bytes.HasPrefix(b, []byte("\xFD7zXZ\x00")) {
			return FileArchive
		}
	case 0x28:
		if bytes.HasPrefix(b, []byte("\x28\xB5\x2F\xFD")) {
			return FileArchive
		}
	case 0x89:
		if bytes.HasPrefix(b, []byte("\x89PNG\r\n\x1A\n")) {
			return FileImage
		}
	case 0xFF:
		if b[1] == 0xD8 && b[2] == 0xFF {
			return FileImage
		}
	case 'G':
		if bytes.HasPrefix(b, []byte("GIF8")) {
			return FileImage
		}
	case 'M':
		if bytes.HasPrefix(b, []byte("MZ")) && len(b) > 64 && b[3] == 0 {
			return FileProgram
		}
	case 0x7F:
		if bytes.HasPrefix(b, []byte("\x7FELF")) {
			return FileProgram
		}
	case 0xCA:
		if bytes.HasPrefix(b, []byte("\xCA\xFE\xBA\xBE")) {
			return FileProgram
		}
	case 0xFE:
		if bytes.HasPrefix(b, []byte("\xFE\xED\xFE\xED")) { // Java key store
			return FileKey
		}
	case '{':
		if bytes.HasPrefix(b, []byte("{\\rtf")) {
			return FileDocument
		}
	}
	if len(b) > 262 && bytes.HasPrefix(b[257:], []byte("ustar")) {
		return FileArchive
	}
	return FileNone
}

// archiveKind tells what a ZIP holds by the names of its first files and of
// its directory.
func archiveKind(b []byte) FileKind {
	for _, part := range [2][]byte{b[:min(len(b), 4096)], b[max(0, len(b)-4096):]} {
		switch {
		case bytes.Contains(part, []byte("xl/work")), bytes.Contains(part, []byte("xl/sharedStrings")), bytes.Contains(part, []byte("opendocument.spreadsheet")):
			return FileSheet
		case bytes.Contains(part, []byte("word/")), bytes.Contains(part, []byte("opendocument.text")):
			return FileDocument
		case bytes.Contains(part, []byte("ppt/")), bytes.Contains(part, []byte("opendocument.presentation")):
			return FileSlides
		case bytes.Contains(part, []byte("META-INF/MANIFEST.MF")), bytes.Contains(part, []byte("AndroidManifest.xml")):
			return FileProgram
		}
	}
	return FileArchive
}

// oleKind tells what a compound file holds by the names of its streams.
func oleKind(b []byte) FileKind {
	part := b[:min(len(b), 1<<16)]
	for _, k := range [...]struct {
		stream string
		kind   FileKind
	}{{"W\x00o\x00r\x00k\x00b\x00o\x00o\x00k\x00", FileOldSheet}, {"W\x00o\x00r\x00d\x00D\x00o\x00c\x00", FileDocument}, {"P\x00o\x00w\x00e\x00r\x00P\x00o\x00i\x00n\x00t\x00", FileSlides}} {
		if bytes.Contains(part, []byte(k.stream)) {
			return k.kind
		}
	}
	return FileOldSheet // what such a file mostly is on the web
}

var fileKindOf = map[string]FileKind{
	"xlsx": FileSheet, "xlsm": FileSheet, "ods": FileSheet, "et": FileSheet, "xls": FileOldSheet, "csv": FileTable, "tsv": FileTable,
	"docx": FileDocument, "doc": FileDocument, "odt": FileDocument, "rtf": FileDocument, "wps": FileDocument,
	"pptx": FileSlides, "ppt": FileSlides, "pdf": FilePDF,
	"zip": FileArchive, "rar": FileArchive, "7z": FileArchive, "tar": FileArchive, "gz": FileArchive, "tgz": FileArchive, "bz2": FileArchive, "xz": FileArchive, "zst": FileArchive,
	"db": FileDatabase, "sqlite": FileDatabase, "sqlite3": FileDatabase, "mdb": FileDatabase, "accdb": FileDatabase, "rdb": FileDatabase, "sql": FileSQL, "dmp": FileSQL, "bak": FileOther,
	"png": FileImage, "jpg": FileImage, "jpeg": FileImage, "gif": FileImage, "bmp": FileImage, "webp": FileImage, "tif": FileImage, "tiff": FileImage, "heic": FileImage,
	"mp3": FileMedia, "mp4": FileMedia, "wav": FileMedia, "amr": FileMedia, "avi": FileMedia, "mov": FileMedia,
	"exe": FileProgram, "dll": FileProgram, "jar": FileProgram, "war": FileProgram, "apk": FileProgram, "ipa": FileProgram,
	"pem": FileKey, "key": FileKey, "pfx": FileKey, "p12": FileKey, "jks": FileKey,
}

// fileKind tells what a file is: by its bytes, then by its name, then by its
// type.
func fileKind(ct, name, body []byte) FileKind {
	magic := fileMagic(body)
	named := FileNone
	if end := ending(name); len(end) > 0 {
		var buf [8]byte
		named = fileKindOf[string(lower(buf[:0], end))]
	}
	switch {
	case magic == FileArchive && (named == FileSheet || named == FileDocument || named == FileSlides || named == FileProgram):
		return named // of a cut archive the names are missing
	case magic == FileOldSheet && named == FileDocument:
		return named
	case magic != FileNone:
		return magic
	case sqlDump(body):
		return FileSQL
	case bytes.HasPrefix(body, []byte("-----BEGIN ")):
		return FileKey
	case named == FileOldSheet && textual(body), named == FileSheet && textual(body):
		return FileTable
	case named != FileNone:
		return named
	}
	var buf [96]byte
	t := lower(buf[:0], ct[:min(len(ct), len(buf))])
	for _, k := range [...]struct {
		word string
		kind FileKind
	}{{"spreadsheetml", FileSheet}, {"opendocument.spreadsheet", FileSheet}, {"csv", FileTable}, {"tab-separated", FileTable}, {"ms-excel", FileOldSheet},
		{"wordprocessingml", FileDocument}, {"msword", FileDocument}, {"presentationml", FileSlides}, {"powerpoint", FileSlides}, {"pdf", FilePDF},
		{"zip", FileArchive}, {"rar", FileArchive}, {"x-tar", FileArchive}, {"7z", FileArchive}, {"sqlite", FileDatabase}, {"image/", FileImage},
		{"audio/", FileMedia}, {"video/", FileMedia}, {"font/", FileMedia}} {
		if bytes.Contains(t, []byte(k.word)) {
			if k.kind == FileOldSheet && textual(body) {
				return FileTable
			}
			return k.kind
		}
	}
	return FileOther
}

func ending(name []byte) []byte {
	i := bytes.LastIndexByte(name, '.')
	if i < 0 || len(name)-i-1 > 7 {
		return nil
	}
	for _, c := range name[i+1:] {
		if !alphanumeric(c) {
			return nil
		}
	}
	return name[i+1:]
}

// textual reports whether a body begins without control characters.
func textual(b []byte) bool {
	for _, c := range b[:min(len(b), 512)] {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' && c != '\f' {
			return false
		}
	}
	return len(b) > 0
}

// sqlDump reports whether a text is a dump of a database: statements that
// create and fill tables, at the beginning.
func sqlDump(b []byte) bool {
	head := b[:min(len(b), 8192)]
	if !textual(head) {
		return false
	}
	for _, s := range [...]string{"-- MySQL dump", "-- MariaDB dump", "-- PostgreSQL database dump", "-- phpMyAdmin SQL Dump", "Navicat Premium Data Transfer", "Navicat MySQL Data Transfer", "PRAGMA foreign_keys=OFF;"} {
		if bytes.Contains(head, []byte(s)) {
			return true
		}
	}
	start := trimSpace(head)
	return (bytes.Contains(head, []byte("CREATE TABLE ")) || bytes.HasPrefix(start, []byte("INSERT INTO "))) && bytes.Contains(head, []byte(");")) &&
		(bytes.HasPrefix(start, []byte("--")) || bytes.HasPrefix(start, []byte("/*")) || bytes.HasPrefix(start, []byte("CREATE TABLE")) || bytes.HasPrefix(start, []byte("DROP TABLE")) ||
			bytes.HasPrefix(start, []byte("INSERT INTO")) || bytes.HasPrefix(start, []byte("SET ")))
}

// sqlRows counts the rows that a dump inserts.
func sqlRows(b []byte) (rows uint32) {
	for len(b) > 0 {
		i := bytes.Index(b, []byte("INSERT INTO "))
		if i < 0 {
			return rows
		}
		b = b[i+12:]
		end := bytes.Index(b, []byte(");"))
		if end < 0 {
			end = len(b)
		}
		rows += 1 + uint32(bytes.Count(b[:end], []byte("),(")))
		b = b[end:]
	}
	return rows
}

// fileName gives the form of a file's name. What somebody wrote into a name
// may be anybody's: only words that files are called by are kept.
func (o *Observer) fileName(name []byte) string {
	if i := bytes.LastIndexAny(name, "/\\"); i >= 0 {
		name = name[i+1:]
	}
	name = name[:min(len(name), MaxText)]
	end := ending(name)
	stem := name[:len(name)-len(end)]
	stem = bytes.TrimSuffix(stem, []byte("."))
	dst := o.nameBuf[:0]
	gap := func() {
		if n := len(dst); n < 2 || dst[n-1] != '}' {
			dst = append(dst, '{', '}')
		}
	}
	o.lowered = lower(o.lowered[:0], stem)
	for i := 0; i < len(stem); {
		if n := o.cfg.Names.fileWord(o.lowered[i:], i > 0 && alphanumeric(stem[i-1])); n > 0 {
			dst = append(dst, stem[i:i+n]...)
			i += n
			continue
		}
		switch c := stem[i]; c {
		case '_', '-', '.', ' ':
			dst = append(dst, c)
		default:
			gap()
		}
		i++
	}
	if len(end) > 0 {
		var buf [8]byte
		e := lower(buf[:0], end)
		if _, known := fileKindOf[string(e)]; !known {
			e = []byte("{}")
		}
		dst = append(append(dst, '.'), e...)
	}
	o.nameBuf = dst
	return o.word(dst)
}

// dispositionName gives the file name of a Content-Disposition.
func (o *Observer) dispositionName(v []byte) (name []byte, ok bool) {
	if name, ok = attributeOK(v, "filename*"); ok {
		// charset'language'percent-encoded
		if i := bytes.LastIndexByte(name, '\''); i >= 0 {
			name = name[i+1:]
		}
		o.val = appendPercent(o.val[:0], name, false)
		return o.read.value.Value(o.val), true
	}
	if name, ok = attributeOK(v, "filename"); ok {
		o.val = appendPercent(o.val[:0], name, false)
		return o.read.value.Value(o.val), true
	}
	return nil, false
}

// download notes what file a response is; kind is that of its body.
func (o *Observer) download(m *exchange.Message, kind BodyKind, ct, body []byte) FileKind {
	disposition := m.Get("content-disposition")
	if o.o.Status/100 != 2 || disposition == nil && kind != BodyFile && kind != BodyImage && kind != BodyText && kind != BodyBinary {
		return FileNone
	}
	var buf [16]byte
	attachment := bytes.HasPrefix(lower(buf[:0], disposition[:min(len(disposition), len(buf))]), []byte("attachment"))
	name, named := o.dispositionName(disposition)
	if named {
		o.o.Download.Name = o.fileName(name)
	} else {
		name = o.lastSegment()
	}
	k := fileKind(ct, name, body)
	if !named && !attachment && kind != BodyFile && kind != BodyImage {
		// a text or some bytes: a file only if it is surely one
		switch {
		case k == FileOther:
			return FileNone
		case kind == BodyText && k != FileSQL && k != FileTable && k != FileKey:
			return FileNone
		}
	}
	f := &o.o.Download
	f.Kind, f.Attachment, f.Bytes = k, attachment, o.o.RespBytes
	return k
}

// lastSegment is the end of the request's path.
func (o *Observer) lastSegment() []byte {
	p := o.path2()
	return p[bytes.LastIndexByte(p, '/')+1:]
}

// readFile reads the rows of a file that has some and reports them.
func (o *Observer) readFile(k FileKind, ct, body []byte, response bool) (rows uint32) {
	switch k {
	case FileTable:
		text := o.utf8(ct, body)
		if head := trimSpace(text[:min(len(text), 64)]); len(head) > 0 && head[0] == '<' {
			return o.readPage(text, response) // a page called .xls
		}
		var unread uint32
		o.inFormat(formatCSV, func() { rows, unread = o.read.csv.Read(text, &o.walker, o.records(response), maxVisited) })
		o.over(int(unread))
	case FileSheet:
		o.inFormat(formatSheet, func() {
			f, ok := o.read.sheet.Read(body, &o.walker, o.records(response), maxVisited)
			if ok {
				rows = f.Rows
				o.over(int(f.Unread) + f.Over)
			}
		})
	case FileSQL:
		text := o.utf8(ct, body)
		o.scanText(response, text[:min(len(text), o.cfg.Limits.Text)])
		return sqlRows(text)
	default:
		return 0
	}
	if response {
		o.takeRecords(true)
		o.takeSchema()
	}
	return rows
}

// upload notes a file that a request brings in a field, and reads it.
func (o *Observer) upload(field string, ct, name, body []byte) {
	list := &o.out.uploads
	k := fileKind(ct, name, body)
	f := File{Kind: k, Name: o.fileName(name), Field: field, Bytes: uint64(len(body))}
	f.Rows = o.readFile(k, ct, body, false)
	if k == FileOther || k == FileKey {
		o.readText(ct, body)
	}
	if list.len() >= MaxUploads {
		o.over(1)
		return
	}
	list.add(f)
}

// readText reads a file of a request that is text.
func (o *Observer) readText(ct, body []byte) {
	kind, text := o.textBody(&o.read.part, ct, body)
	switch kind {
	case BodyJSON:
		if _, ok := o.walker.Walk(text, (*recordLeaves)(o)); ok {
			return
		}
	case BodyXML:
		x := &o.read.xml
		if x.Parse(text) {
			o.base = x.Wrappers
			o.inFormat(formatXML+uint64(x.Wrappers), func() { x.Tell(&o.walker, (*recordLeaves)(o), false) })
			o.base = 0
			return
		}
	case BodyHTML, BodyText, BodyForm, BodyScript:
	default:
		return
	}
	o.scanText(false, text[:min(len(text), o.cfg.Limits.Text)])
}

// recordLeaves visits the cells of a file that a request brings: they are data
// and no parameters.
type recordLeaves Observer

func (v *recordLeaves) leaf(path uint64, value []byte) {
	o := (*Observer)(v)
	if o.walker.Leaves > maxVisited {
		o.over(1)
		return
	}
	f := o.jsonField(path)
	if f == nil {
		o.over(1)
		return
	}
	m := sensitive.MaskOf(value)
	o.recogniseMask(f.hint, classifyMask(m, value), m, value)
	if len(o.hits) > 0 {
		o.expose(f, false, m, value)
	}
}
