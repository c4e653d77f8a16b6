// Package duckdb keeps observations in DuckDB, one file for each day.
//
// It takes a held folder and gives an observation.Store. In a file, tokens,
// addresses and names stand once and rows hold their numbers; what a console
// counts by the minute is summed up as rows come, in the same file, and what is
// not yet summed is counted from the rows, so that an answer is never behind.
//
// Invariants: rows, what they name and how far their writer came are one
// transaction; what Append acknowledged survives the end of the process and,
// as every transaction waits for the disk, the loss of power. A file that is
// damaged is set aside under a name that says so, and the other days are
// served; one of a newer version is refused and left as it is. The database
// reads and writes in its own folder only, loads no extension and has no way to
// the network. Limits: one process; see Config. It needs cgo: a program built
// without it gets an error that says so from Open. The files are readable by
// their owner alone and not encrypted: they hold tokens, names of APIs and
// addresses.
package duckdb

import (
	"errors"
	"path/filepath"
)

// ErrAbsent: this program was built without DuckDB.
var ErrAbsent = errors.New("this program was built without DuckDB, which is C++")

// Config of a store. The zero value takes the defaults.
type Config struct {
	Memory   int64 // bytes that the database may use; 0 for 512 MiB
	Temp     int64 // bytes that it may use on disk for large questions; 0 for 4 GiB
	Threads  int   // 0 for 2
	Open     int   // days open at once, without those in use; 0 for 8
	MaxDays  int   // day files; rows of further days are left out; 0 for 1100
	Parallel int   // questions at once, further ones wait; 0 for 4

	rollAt  int64 // rows that are summed up by the minute at once
	chunkAt int64 // rows that are counted by entity at once
	best    int   // of each day, of which the largest of several days are found
	words   int   // values of a column of a day that are remembered while it is written
	log     int64 // bytes of the log ahead of a file before they go into it
}

func (c Config) filled() Config {
	or := func(v *int, usual int) {
		if *v <= 0 {
			*v = usual
		}
	}
	or(&c.Threads, 2)
	or(&c.Open, 8)
	or(&c.MaxDays, 1100)
	or(&c.Parallel, 4)
	or(&c.best, 2000)
	or(&c.words, 1<<20)
	if c.rollAt <= 0 {
		c.rollAt = 128 << 10
	}
	if c.chunkAt <= 0 {
		c.chunkAt = 2 << 20
	}
	if c.log <= 0 {
		c.log = 16 << 20
	}
	if c.Memory <= 0 {
		c.Memory = 512 << 20
	}
	if c.Temp <= 0 {
		c.Temp = 4 << 30
	}
	return c
}

const (
	folderName = "rows"  // in the data folder
	tempName   = ".temp" // in rows: what large questions put on disk
	floorName  = "from"  // in rows: the first day that was not dropped
	extension  = ".duckdb"
	dayFormat  = "2006-01-02"
)

// Folder is where in a data folder the days are.
func Folder(data string) string { return filepath.Join(data, folderName) }
