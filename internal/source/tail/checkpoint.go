package tail

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

const (
	checkpointVersion = 1
	maxCheckpoint     = 8 << 20
)

// checkpoint is the file's form.
type checkpoint struct {
	Version int    `json:"xiezhi_checkpoint"`
	Files   []mark `json:"files"`
}

// mark says how far one file was delivered.
type mark struct {
	Name   string `json:"name"`
	Device uint64 `json:"device"`
	Inode  uint64 `json:"inode"`
	Offset int64  `json:"offset"`
	Head   int    `json:"head"`   // bytes of the hash
	SHA256 string `json:"sha256"` // of the first bytes
	head   head
}

// loadCheckpoint reads a checkpoint; one that is not there is empty.
func loadCheckpoint(name string) ([]mark, error) {
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxCheckpoint+1))
	if err != nil {
		return nil, err
	}
	marks, err := parseCheckpoint(data)
	if err != nil {
		return nil, fmt.Errorf("%s is no checkpoint: %w; name another file, or delete it to read everything again", name, err)
	}
	return marks, nil
}

func parseCheckpoint(data []byte) ([]mark, error) {
	if len(data) > maxCheckpoint {
		return nil, errors.New("it is too large")
	}
	var c checkpoint
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return nil, errors.New("it is no JSON of its kind") // the error would hold input
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("there is text behind it")
	}
	if c.Version != checkpointVersion {
		return nil, fmt.Errorf("its version is %d, this program writes %d", c.Version, checkpointVersion)
	}
	if len(c.Files) > maxFiles {
		return nil, errors.New("it holds too many files")
	}
	for i := range c.Files {
		m := &c.Files[i]
		n, err := hex.Decode(m.head.sum[:], []byte(m.SHA256[:min(len(m.SHA256), 2*len(m.head.sum))]))
		if err != nil || n != len(m.head.sum) || len(m.SHA256) != 2*n || m.Head < 0 || m.Head > headSize || m.Offset < int64(m.Head) || !filepath.IsAbs(m.Name) {
			return nil, fmt.Errorf("its file %d makes no sense", i+1)
		}
		m.head.n = m.Head
	}
	return c.Files, nil
}

// remember writes down how far every file was delivered.
func (s *Source) remember() []byte {
	c := checkpoint{Version: checkpointVersion, Files: []mark{}}
	for _, f := range s.inOrder() {
		if f.kind == foreign || f.twin != nil {
			continue
		}
		// The hash goes no further than what was delivered for good.
		h := f.head
		if int64(h.n) > f.safe {
			h = headOf(f.f, int(f.safe))
		}
		c.Files = append(c.Files, mark{Name: f.name, Device: f.device, Inode: f.inode, Offset: f.safe, Head: h.n, SHA256: hex.EncodeToString(h.sum[:])})
	}
	b, err := json.MarshalIndent(c, "", " ")
	if err != nil { // plain strings and numbers
		panic(err)
	}
	return append(b, '\n')
}

// writeCheckpoint replaces the checkpoint as a whole: whoever is killed
// meanwhile leaves the one before.
func writeCheckpoint(name string, data []byte) (err error) {
	part := name + ".part"
	f, err := os.OpenFile(part, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("write the checkpoint: %w", err)
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(part, name)
	}
	if err != nil {
		return fmt.Errorf("write the checkpoint: %w", err)
	}
	if d, err := os.Open(filepath.Dir(name)); err == nil { // not every file system can
		_ = d.Sync()
		d.Close()
	}
	return nil
}
